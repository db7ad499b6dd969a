//! Faults of an engine, in words that say what would help.

use bollard::errors::Error;

use crate::control_plane::web::ask::causes;

use super::said::said;

/// Why an engine did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DockerFault {
    /// The engine does not answer. It may answer later; the code that asks decides how long it goes on
    /// asking.
    #[error("the engine {engine} does not answer: {why}")]
    Away { engine: String, why: String },
    /// The registry does not answer the engine, or not as it should. It may do so later.
    #[error("image {image} can't be had at the moment: {why}")]
    RegistryAway { image: String, why: String },
    /// The engine, the registry or the image refuses. Asking again would not change it.
    #[error("{0}")]
    Refused(String),
    /// The engine does not have the image, or no longer has it.
    #[error("the engine {engine} does not have the image of container {container}")]
    NoImage { engine: String, container: String },
    /// The work was called off, because it is not wanted any more.
    #[error("called off")]
    CalledOff,
}

impl DockerFault {
    /// Whether asking again later may help.
    #[must_use]
    pub const fn passes(&self) -> bool {
        match self {
            Self::Away { .. } | Self::RegistryAway { .. } => true,
            Self::Refused(_) | Self::NoImage { .. } | Self::CalledOff => false,
        }
    }
}

/// The work that was being done, for the words of a fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing<'a> {
    /// Asking the registry for an image, or pulling it.
    Image(&'a str),
    /// Creating or starting a container of this name.
    Container(&'a str),
    /// Any other work, as a verb phrase.
    Other(&'a str),
}

impl Doing<'_> {
    /// The work in words.
    pub(super) fn phrase(self, engine: &str) -> String {
        match self {
            Self::Image(image) => format!("image {image} on the engine {engine}"),
            Self::Container(name) => format!("container {name} on the engine {engine}"),
            Self::Other(what) => format!("{what} on the engine {engine}"),
        }
    }
}

/// Turns an engine's error into a fault.
pub(crate) fn fault(engine: &str, doing: Doing<'_>, error: &Error) -> DockerFault {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            said(engine, doing, Some(*status_code), message)
        }
        Error::DockerStreamError { error } => said(engine, doing, None, error),
        Error::DockerContainerWaitError { error, code } => {
            DockerFault::Refused(format!("{}: {error} (code {code})", doing.phrase(engine)))
        }
        // The engine ended in the middle of its answer.
        Error::JsonSerdeError { err } if err.is_eof() || err.is_io() => {
            DockerFault::Away { engine: engine.to_owned(), why: chain(error) }
        }
        Error::JsonDataError { .. } | Error::JsonSerdeError { .. } | Error::APIVersionParseError {} => {
            DockerFault::Refused(format!("{}: its answer can't be read: {error}", doing.phrase(engine)))
        }
        Error::CertPathError { path } => {
            DockerFault::Refused(format!("engines.tls: the file {} can't be read", path.display()))
        }
        Error::CertParseError { path } | Error::CertMultipleKeys { path, .. } => DockerFault::Refused(
            format!("engines.tls: the file {} holds no certificate or key in PEM form", path.display()),
        ),
        other => DockerFault::Away { engine: engine.to_owned(), why: chain(other) },
    }
}

/// An error with its causes. Without them, hyper's own text says only "client error (Connect)".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = causes(error);
    // The names of the library's own parts say nothing to a person.
    for prefix in ["Error in the hyper legacy client: ", "client error (Connect): "] {
        if let Some(rest) = text.strip_prefix(prefix) {
            text = rest.to_owned();
        }
    }
    text
}
