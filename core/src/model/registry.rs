//! The registry in the name of an image, `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.

/// The host of the registry for images without a host.
pub const DOCKER_HUB: &str = "docker.io";
/// The other name of the Docker Hub. The docker command treats both names as one registry.
const DOCKER_HUB_ALIAS: &str = "index.docker.io";

/// Splits the name of an image into the host, if one is written, and the rest. The first part of a name is a
/// host if it has a `.` or a `:` or is `localhost`, because it can't be anything else then.
#[must_use]
pub fn split_registry(image: &str) -> (Option<&str>, &str) {
    match image.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), rest),
        _ => (None, image),
    }
}

/// The host and port of an image's registry. It is [`DOCKER_HUB`] if none is written.
#[must_use]
pub fn registry_of(image: &str) -> &str {
    match split_registry(image).0 {
        None | Some(DOCKER_HUB_ALIAS) => DOCKER_HUB,
        Some(host) => host,
    }
}
