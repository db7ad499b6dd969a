//! Moves the tags `stable` and `previous` after a success.

use crate::config::RegistryAuth;
use crate::control_plane::provider::docker::credentials;

use super::{Login, Registry, RegistryFault};

/// The tags that have to be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retag {
    /// The registry's host, which is `docker.io` for the Docker Hub.
    pub host: String,
    /// The repository without the host.
    pub repository: String,
    /// The tag and the digest of each move, in the order of the moves.
    pub moves: Vec<(String, String)>,
}

/// The digest of a version, which is `NAME@sha256:...` or the digest alone.
#[must_use]
pub fn digest_of(version: &str) -> Option<&str> {
    let digest = version.rsplit_once('@').map_or(version, |(_, digest)| digest);
    digest.starts_with("sha256:").then_some(digest)
}

/// The account at a registry. It is the configured account, else the one in the Docker config file, with
/// its helpers.
///
/// # Errors
/// A secret can't be read, or a helper fails. The text has no secret.
pub async fn login(host: &str, configured: Option<&RegistryAuth>) -> Result<Option<Login>, String> {
    let found = credentials::find(host, configured).await.map_err(|why| why.to_string())?;
    Ok(found.and_then(|found| match (found.identitytoken, found.username, found.password) {
        (Some(identity), _, _) => Some(Login::Identity(identity)),
        (None, Some(username), Some(password)) => Some(Login::Password { username, password }),
        (None, _, _) => None,
    }))
}

/// Moves the tags, one after the other. Doing it twice changes nothing. If one move fails, the others are
/// made all the same.
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
