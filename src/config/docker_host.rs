//! `DOCKER_HOST`, which names the engine where the file names none, as it does for the engine's own client.

use std::path::Path;

use super::{Engine, EngineTls};

/// The variables that the engine's own client reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DockerHost {
    /// `DOCKER_HOST`, such as `unix:///run/user/1000/docker.sock` or `tcp://engine.example.org:2376`.
    pub host: Option<String>,
    /// `DOCKER_CERT_PATH`, the folder with `ca.pem`, `cert.pem` and `key.pem`.
    pub certificates: Option<String>,
}

impl DockerHost {
    /// Reads the variables of this process. An empty variable counts as absent.
    pub(super) fn of_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self { host: variable("DOCKER_HOST"), certificates: variable("DOCKER_CERT_PATH") }
    }

    /// The engine that the variables name, if they name one.
    ///
    /// # Errors
    /// greenlight can't reach such an engine. The text says why.
    pub(super) fn engine(&self, is_loopback: impl Fn(&str) -> bool) -> Option<Result<Engine, String>> {
        let host = self.host.as_deref()?;
        let refused = |why: &str| Some(Err(format!("is missing, and DOCKER_HOST = \"{host}\" {why}")));
        if host.starts_with("unix:///") {
            return Some(Ok(Engine { url: host.to_owned(), tls: None }));
        }
        let Some(address) = host.strip_prefix("tcp://") else {
            return refused("can't be used: an engine has a unix:// or tcp:// URL");
        };
        if address.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return refused("has no port: it is such as tcp://engine.example.org:2376");
        }
        let folder = self.certificates.as_deref().map(Path::new);
        let tls = folder.map(|folder| EngineTls {
            ca: folder.join("ca.pem"),
            cert: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        });
        if tls.is_none() && !is_loopback(address) {
            return refused("needs DOCKER_CERT_PATH, the folder of ca.pem, cert.pem and key.pem");
        }
        Some(Ok(Engine { url: host.to_owned(), tls }))
    }
}

#[cfg(test)]
mod tests;
