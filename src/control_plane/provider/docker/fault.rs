//! Faults of an engine, in words that say what would help.

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
