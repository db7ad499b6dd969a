//! Faults of an engine, in words that say what would help.

use bollard::errors::Error;

use crate::control_plane::web::ask::causes;

/// Why an engine did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DockerFault {
    /// The engine does not answer. It may answer later; the code that asks decides how long it goes on
    /// asking.
    #[error("the engine {engine} does not answer: {why}")]
    Away { engine: String, why: String },
    /// The engine answers, but not about this container. It may do so later.
    #[error("container {container} on the engine {engine}: {why}")]
    Stuck { engine: String, container: String, why: String },
    /// The registry does not answer the engine. It may answer later.
    #[error("the registry of {image} does not answer: {why}")]
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
            Self::Away { .. } | Self::Stuck { .. } | Self::RegistryAway { .. } => true,
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

/// Turns an engine's error into a fault.
pub(crate) fn fault(engine: &str, doing: Doing<'_>, error: &Error) -> DockerFault {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            said(engine, doing, Some(*status_code), message)
        }
        Error::DockerStreamError { error } => said(engine, doing, None, error),
        Error::DockerContainerWaitError { error, code } => {
            DockerFault::Refused(format!("{}: {error} (code {code})", phrase(engine, doing)))
        }
        Error::JsonDataError { .. } | Error::JsonSerdeError { .. } | Error::APIVersionParseError {} => {
            DockerFault::Refused(format!("{}: its answer can't be read: {error}", phrase(engine, doing)))
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

fn phrase(engine: &str, doing: Doing<'_>) -> String {
    match doing {
        Doing::Image(image) => format!("image {image} on the engine {engine}"),
        Doing::Container(name) => format!("container {name} on the engine {engine}"),
        Doing::Other(what) => format!("{what} on the engine {engine}"),
    }
}

/// Turns the engine's text into a sentence with the next step. The known texts are those of the engine and
/// of the registry's error codes (OCI distribution specification 1.1, "Error Codes").
fn said(engine: &str, doing: Doing<'_>, status: Option<u16>, message: &str) -> DockerFault {
    let low = message.to_ascii_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| low.contains(text));
    let message = message.trim();
    if has(&["no space left on device", "disk quota exceeded"]) {
        return DockerFault::Refused(format!(
            "the disk of the engine {engine} is full: free some space there (`docker system df` tells what takes it, \
             `docker image prune` frees unused images), then deploy again ({message})"
        ));
    }
    if let Doing::Image(image) = doing {
        return said_of_image(engine, image, status, &low, message);
    }
    if let Doing::Container(name) = doing {
        if has(&["no such image"]) {
            return DockerFault::NoImage { engine: engine.to_owned(), container: name.to_owned() };
        }
        if has(&["port is already allocated", "address already in use"]) {
            return DockerFault::Refused(format!(
                "container {name}: its port is taken on the engine {engine}: {message}"
            ));
        }
        if has(&["no such network", "network not found"]) || (has(&["network"]) && has(&["not found"])) {
            return DockerFault::Refused(format!(
                "container {name}: the network does not exist on the engine {engine}: create it, or correct \
                 upstream.network ({message})"
            ));
        }
        let no_program = has(&["exec:"]) && has(&["no such file or directory"]);
        if no_program || has(&["executable file not found", "no command specified", "exec format error"]) {
            return DockerFault::Refused(format!(
                "container {name} can't run its command: the image holds no such program, or none for this machine \
                 ({message})"
            ));
        }
        if has(&["invalid mount", "bind source path does not exist", "mount"]) {
            return DockerFault::Refused(format!(
                "container {name}: upstream.mounts does not fit: {message}"
            ));
        }
    }
    DockerFault::Refused(format!("{}: {message}", phrase(engine, doing)))
}

fn said_of_image(engine: &str, image: &str, status: Option<u16>, low: &str, message: &str) -> DockerFault {
    let has = |texts: &[&str]| texts.iter().any(|text| low.contains(text));
    if has(&["no matching manifest"]) {
        return DockerFault::Refused(format!(
            "image {image} has no variant for the engine {engine}'s kind of machine: build it for that one ({message})"
        ));
    }
    // The Docker Hub says "denied" also for a repository that does not exist.
    if has(&[
        "unauthorized",
        "denied",
        "no basic auth",
        "incorrect username or password",
        "authentication required",
    ]) || matches!(status, Some(401 | 403))
    {
        return DockerFault::Refused(format!(
            "the registry does not let us read {image}: check the user and password (upstream.registry_auth \
             for the registry of upstream.image, else `docker login` for the user that runs greenlight), and that the repository exists ({message})"
        ));
    }
    if has(&[
        "manifest unknown",
        "not found",
        "name unknown",
        "name_unknown",
        "manifest_unknown",
        "repository name not known",
    ]) || status == Some(404)
    {
        return DockerFault::Refused(format!(
            "there is no image {image} in its registry: check the name and the tag, or push it, then deploy again \
             ({message})"
        ));
    }
    if has(&[
        "connection refused",
        "no such host",
        "i/o timeout",
        "timeout exceeded",
        "deadline exceeded",
        "connection reset",
        "unexpected eof",
        "server gave http response",
        "tls handshake",
        "no route to host",
        "network is unreachable",
        "temporary failure in name resolution",
        "too many requests",
        "toomanyrequests",
        "service unavailable",
        "bad gateway",
    ]) {
        return DockerFault::RegistryAway { image: image.to_owned(), why: message.to_owned() };
    }
    DockerFault::Refused(format!("image {image} on the engine {engine}: {message}"))
}
