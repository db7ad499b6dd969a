//! The faults of the demo, each as a sentence.

use std::path::PathBuf;
use std::time::Duration;

use super::client::Failure;

/// A fault of the demo, or of a test that uses its parts. `what` names the process or request.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A process could not be started.
    #[error("{what} could not be started: {source}")]
    Start { what: String, source: std::io::Error },
    /// A process that runs could not be waited for or killed. `doing` is the participle.
    #[error("{what} could not be {doing}: {source}")]
    Lost { what: String, doing: &'static str, source: std::io::Error },
    /// A process ended before it was ready; `tail` is the end of its output.
    #[error("{what} ended ({status}) before it was ready; its last lines:\n{tail}")]
    Ended { what: String, status: String, tail: String },
    /// Something did not happen within `limit`; `detail` follows in the same sentence.
    #[error("{what}: not within {limit:?}{detail}")]
    Late { what: String, limit: Duration, detail: String },
    /// A request got no complete answer.
    #[error("{what}: {source}")]
    Talk { what: String, source: Failure },
    /// A request was answered with a status that is no success.
    #[error("{what} was answered with {status}: {body}")]
    Refused { what: String, status: u16, body: String },
    /// An answer could not be parsed; `why` is the reason.
    #[error("{what} was answered with something else than expected: {why}")]
    Answer { what: String, why: String },
    /// A file or folder could not be written.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    /// The configuration lacks a key, has a wrong value, or no port is free.
    #[error("the demo's configuration: {0}")]
    Config(String),
    /// The terminal can't be written.
    #[error("the terminal: {0}")]
    Terminal(std::io::Error),
}
