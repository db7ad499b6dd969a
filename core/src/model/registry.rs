//! Which registry an image's name speaks of: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.

/// Where images without a host are.
pub const DOCKER_HUB: &str = "docker.io";
/// What the Docker Hub is called too; the docker command takes it for the same.
const DOCKER_HUB_ALIAS: &str = "index.docker.io";

/// The host that is written in an image's name, and the rest. The first part of a name is a host if it
/// could not be anything else.
#[must_use]
pub fn split_registry(image: &str) -> (Option<&str>, &str) {
    match image.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), rest),
        _ => (None, image),
    }
}

/// The host of an image's registry, with its port; [`DOCKER_HUB`] where none is written.
#[must_use]
pub fn registry_of(image: &str) -> &str {
    match split_registry(image).0 {
        None | Some(DOCKER_HUB_ALIAS) => DOCKER_HUB,
        Some(host) => host,
    }
}
