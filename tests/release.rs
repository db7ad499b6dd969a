//! The release state machine from outside: golden transcripts, and the table of every state by
//! every event. `UPDATE_GOLDEN=1` writes what is expected anew; read the difference before you
//! commit it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "release/golden.rs"]
mod golden;
#[path = "release/parse.rs"]
mod parse;
#[path = "release/render.rs"]
mod render;
#[path = "release/script.rs"]
mod script;
#[path = "release/table.rs"]
mod table;
