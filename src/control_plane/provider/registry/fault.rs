//! Faults of a registry, in words. No fault holds a password or a token.

/// Why a registry did not do what it was asked to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFault {
    /// The registry may answer later.
    #[error("the registry {host} does not answer: {why}")]
    Away { host: String, why: String },
    #[error("the registry {host} refuses our credentials for {repository}: {why}")]
    Unauthorized { host: String, repository: String, why: String },
    #[error("the registry {host} has no {repository}@{reference}")]
    NotFound { host: String, repository: String, reference: String },
    #[error("the registry {host} answered {status} to {what}: {why}")]
    Refused { host: String, what: String, status: u16, why: String },
    #[error("the registry {host} sent what is no answer to {what}: {why}")]
    Malformed { host: String, what: String, why: String },
}
