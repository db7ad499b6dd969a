//! What can go wrong around the demo, in sentences.

use std::path::PathBuf;
use std::time::Duration;

use super::client::Failure;

#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("{what} could not be started: {source}")]
    Start { what: String, source: std::io::Error },
    #[error("{what} ended ({status}) before it was ready; its last lines:\n{tail}")]
    Ended { what: String, status: String, tail: String },
    #[error("{what}: not within {limit:?}{detail}")]
    Late { what: String, limit: Duration, detail: String },
    #[error("{what}: {source}")]
    Talk { what: String, source: Failure },
    #[error("{what} was answered with {status}: {body}")]
    Refused { what: String, status: u16, body: String },
    #[error("{what} was answered with something else than expected: {why}")]
    Answer { what: String, why: String },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the demo's configuration: {0}")]
    Config(String),
    #[error("the terminal: {0}")]
    Terminal(std::io::Error),
}
