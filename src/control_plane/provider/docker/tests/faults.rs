use bollard::errors::Error;

use super::super::DockerFault;
use super::super::fault::{Doing, fault};

fn said(doing: Doing<'_>, status_code: u16, message: &str) -> DockerFault {
    fault("unix:///e", doing, &Error::DockerResponseServerError { status_code, message: message.to_owned() })
}

#[test]
fn each_cause_has_words_of_its_own_and_the_next_step() {
    let image = Doing::Image("h.example/app:v9");
    let container = Doing::Container("greenlight-app-1-blue-1");
    for (doing, status, message, says, next) in [
        (
            image,
            404,
            "manifest unknown: manifest unknown",
            "there is no image h.example/app:v9",
            "check the name and the tag",
        ),
        (
            image,
            404,
            "errors:\nname unknown: repository name not known to registry",
            "there is no image",
            "push it",
        ),
        (
            image,
            401,
            "unauthorized: authentication required",
            "does not let us read",
            "upstream.registry_auth",
        ),
        (image, 500, "no basic auth credentials", "does not let us read", "docker login"),
        (image, 403, "denied: requested access to the resource is denied", "does not let us read", "exists"),
        (
            image,
            500,
            "write /var/lib/x: no space left on device",
            "the disk of the engine unix:///e is full",
            "docker system df",
        ),
        (container, 500, "mkdir /x: no space left on device", "the disk of the engine", "deploy again"),
        (container, 404, "network backend not found", "the network does not exist", "upstream.network"),
        (
            container,
            400,
            "OCI runtime create failed: exec: \"app\": executable file not found in $PATH",
            "can't run its command",
            "no such program",
        ),
        (container, 400, "invalid mount config for type \"bind\"", "upstream.mounts", "invalid mount"),
        (
            image,
            404,
            "no matching manifest for linux/arm64 in the manifest list entries",
            "has no variant",
            "build it for that one",
        ),
    ] {
        let DockerFault::Refused(text) = said(doing, status, message) else { panic!("{message}") };
        assert!(text.contains(says) && text.contains(next), "{message} -> {text}");
    }
}

#[test]
fn faults_that_may_pass_are_recognized() {
    let away = fault("unix:///e", Doing::Other("x"), &Error::RequestTimeoutError);
    assert!(matches!(&away, DockerFault::Away { engine, .. } if engine == "unix:///e") && away.passes());
    let registry = said(
        Doing::Image("h.example/app:v1"),
        500,
        "Get \"https://h.example/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
    );
    assert!(matches!(registry, DockerFault::RegistryAway { .. }) && registry.passes());
    assert!(!said(Doing::Other("x"), 500, "boom").passes());
    assert!(matches!(
        said(Doing::Container("c"), 404, "No such image: h.example/app@sha256:00"),
        DockerFault::NoImage { .. }
    ));
}
