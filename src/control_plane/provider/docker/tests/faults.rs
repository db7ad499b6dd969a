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

#[test]
fn everything_but_a_clear_no_of_a_registry_may_pass() {
    for message in [
        "received unexpected HTTP status: 500 Internal Server Error",
        "received unexpected HTTP status: 502 Bad Gateway",
        "received unexpected HTTP status: 504 Gateway Timeout",
        "error parsing HTTP 520 response body: invalid character '<' looking for beginning of value: \"<html>404 not found</html>\"",
        "error parsing HTTP 503 response body: invalid character '<': <html>: denied: not found",
        "error parsing HTTP 408 response body: unexpected end of JSON input: \"\"",
        "Get \"https://h.example/v2/\": EOF",
        "Get \"https://h.example/v2/\": dial tcp: lookup h.example on 127.0.0.11:53: server misbehaving",
        "Get \"https://h.example/v2/\": dial tcp: lookup h.example: no such host",
        "Get \"https://h.example/v2/\": dial tcp 10.0.0.1:443: connect: connection timed out",
        "Get \"https://h.example/v2/\": dial tcp 10.0.0.1:443: connect: connection refused",
        "Get \"https://h.example/v2/\": dial tcp 10.0.0.1:443: connect: permission denied",
        "Get \"https://h.example/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        "Get \"https://h.example/v2/\": http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"\"",
        "Get \"https://h.example/v2/\": write tcp 10.0.0.2:4->10.0.0.1:443: write: broken pipe",
        "Get \"https://h.example/v2/\": read: connection reset by peer",
        "Get \"https://h.example/v2/\": net/http: TLS handshake timeout",
        "Get \"https://h.example/v2/\": x509: certificate has expired or is not yet valid",
        "failed to fetch oauth token: unexpected status from GET request to https://a.example/token: 503 Service Unavailable",
        "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating",
        "unknown: unknown error",
        "unexpected EOF",
        "filesystem layer verification failed for digest sha256:00",
        // Words of a clear no in a name say nothing.
        "Get \"https://denied.example/v2/unauthorized/manifests/not-found\": EOF",
        "Head https://h.example/v2/unauthorized/manifests/denied: EOF",
    ] {
        for image in ["h.example/app:v1", "h.example/denied/unauthorized:404"] {
            let fault = said(Doing::Image(image), 500, message);
            assert!(matches!(fault, DockerFault::RegistryAway { .. }), "{message} -> {fault:?}");
        }
    }
}

#[test]
fn a_clear_no_of_a_registry_is_final() {
    for (status, message, says) in [
        (
            500,
            "Head \"https://h.example/v2/a/manifests/v1\": unauthorized: authentication required",
            "let us read",
        ),
        (
            500,
            "errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required",
            "let us read",
        ),
        (
            404,
            "pull access denied for app, repository does not exist or may require 'docker login': denied: no",
            "let us read",
        ),
        (500, "error parsing HTTP 403 response body: invalid character '<': \"<html>\"", "let us read"),
        (500, "received unexpected HTTP status: 401 Unauthorized", "let us read"),
        (
            500,
            "unexpected status from HEAD request to https://h.example/v2/a/manifests/v1: 403 Forbidden",
            "let us read",
        ),
        (500, "Get \"https://h.example/v2/\": unauthorized: incorrect username or password", "let us read"),
        (
            500,
            "manifest for h.example/a:v1 not found: manifest unknown: manifest unknown",
            "there is no image",
        ),
        (
            500,
            "failed to resolve reference \"h.example/a:v1\": h.example/a:v1: not found",
            "there is no image",
        ),
        (500, "manifest unknown", "there is no image"),
        (500, "unknown: repository a/b not found", "there is no image"),
        (500, "error parsing HTTP 404 response body: invalid character 'p': \"page\"", "there is no image"),
        (500, "image operating system \"windows\" cannot be used on this platform", "no variant"),
        (500, "no match for platform in manifest: not found", "no variant"),
        (400, "invalid reference format", "invalid reference format"),
    ] {
        let fault = said(Doing::Image("h.example/a:v1"), status, message);
        let DockerFault::Refused(text) = &fault else { panic!("{message} -> {fault:?}") };
        assert!(text.contains(says), "{message} -> {text}");
    }
}

#[test]
fn a_cause_is_not_taken_from_a_name() {
    let container = Doing::Container("greenlight-mount-1-blue-1");
    let runtime = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc \
                   create failed: unable to start container process";
    for program in ["network-app", "mount", "no such image", "port is already allocated"] {
        for message in [
            format!("{runtime}: exec: \"{program}\": executable file not found in $PATH: unknown"),
            format!("{runtime}: exec: \\\"{program}\\\": stat {program}: no such file or directory: unknown"),
            format!("{runtime}: exec: \"/{program}\": permission denied: unknown"),
        ] {
            let fault = said(container, 400, &message);
            assert!(
                matches!(&fault, DockerFault::Refused(text) if text.contains("can't run its command")),
                "{message} -> {fault:?}"
            );
        }
    }
    for (message, says) in [
        ("network mount not found", "the network does not exist"),
        ("error mounting \"/network not found\" to rootfs at \"/x\": not a directory", "upstream.mounts"),
        (
            "driver failed programming external connectivity on endpoint network: Bind for 127.0.0.1:80 failed: port is already allocated",
            "port is taken",
        ),
    ] {
        let fault = said(container, 500, message);
        assert!(
            matches!(&fault, DockerFault::Refused(text) if text.contains(says)),
            "{message} -> {fault:?}"
        );
    }
}

#[test]
fn an_engine_in_trouble_is_away() {
    for (status, message) in [
        (
            500,
            "connection error: desc = \"transport: Error while dialing\": dial unix /run/containerd.sock: connect: connection refused",
        ),
        (500, "failed to create task for container: context deadline exceeded"),
        (500, "error reading from server: EOF"),
        (502, "<html>bad gateway</html>"),
        (503, "the server is shutting down"),
    ] {
        for doing in [Doing::Container("c"), Doing::Other("x")] {
            let fault = said(doing, status, message);
            assert!(matches!(fault, DockerFault::Away { .. }), "{message} -> {fault:?}");
        }
    }
    assert!(!said(Doing::Container("c"), 400, "invalid IP: EOF").passes());
}
