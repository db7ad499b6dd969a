//! Moving `stable` and `previous` after a success.

use crate::config::RegistryAuth;
use crate::control_plane::provider::docker::credentials;

use super::{Login, Registry, RegistryFault};

/// What is to be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retag {
    /// The registry's host; `docker.io` for the Docker Hub.
    pub host: String,
    /// The repository without the host.
    pub repository: String,
    /// Tag and digest of each move, in their order.
    pub moves: Vec<(String, String)>,
}

/// The digest of a version: `NAME@sha256:...`, or the digest alone.
#[must_use]
pub fn digest_of(version: &str) -> Option<&str> {
    let digest = version.rsplit_once('@').map_or(version, |(_, digest)| digest);
    digest.starts_with("sha256:").then_some(digest)
}

/// Who we are to a registry: the configured user, else what the Docker config file says, with its
/// helpers.
///
/// # Errors
/// A secret that can't be read, or a helper that fails, in words without the secret.
pub async fn login(host: &str, configured: Option<&RegistryAuth>) -> Result<Option<Login>, String> {
    let found = credentials::find(host, configured).await.map_err(|why| why.to_string())?;
    Ok(found.and_then(|found| match (found.identitytoken, found.username, found.password) {
        (Some(identity), _, _) => Some(Login::Identity(identity)),
        (None, Some(username), Some(password)) => Some(Login::Password { username, password }),
        (None, _, _) => None,
    }))
}

/// Moves the tags, one after the other. Doing it twice changes nothing. One that fails does not keep
/// the others from being moved.
///
/// # Errors
/// The first fault.
pub async fn retag(retag: &Retag, login: Option<Login>) -> Result<(), RegistryFault> {
    let registry = Registry::open(&retag.host, login).await?;
    let mut fault = None;
    for (tag, digest) in &retag.moves {
        let moved = async {
            let manifest = registry.manifest(&retag.repository, digest).await?;
            registry.put(&retag.repository, tag, &manifest).await
        };
        if let Err(why) = moved.await {
            fault.get_or_insert(why);
        }
    }
    fault.map_or(Ok(()), Err)
}
