//! What one worker thread owns, and the loop that it runs.

pub(crate) mod access;
pub(crate) mod address;
pub(crate) mod chunk;
pub(crate) mod connection_table;
pub(crate) mod date;
pub(crate) mod files;
pub(crate) mod metrics;
pub(crate) mod passes;
pub(crate) mod recorder;
pub(crate) mod request_limit;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod ticks;
pub(crate) mod view;
pub(crate) mod wait;
pub(crate) mod worker_loop;
