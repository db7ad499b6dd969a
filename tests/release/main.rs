//! Tests that need no process and no socket: the release state machine from outside (golden transcripts, and the table
//! of every state by every event), random lives of a release in virtual time (`simulation`), and the fuzz targets'
//! checks over their seeds.
//!
//! `UPDATE_GOLDEN=1` writes what is expected anew; read the difference before you commit it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fuzz_corpus;
mod golden;
mod parse;
mod render;
mod script;
mod simulation;
mod table;
