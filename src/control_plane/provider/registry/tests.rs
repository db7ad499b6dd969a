#![allow(clippy::unwrap_used, clippy::expect_used)]
//! The ways to give credentials, against a stub of a registry. tests/webhooks has a real one.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::challenge::{Challenge, parse};
use super::client::sha256;
use super::{Login, Registry, RegistryFault, digest_of};

#[test]
fn challenges() {
    let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some(Challenge::Bearer { realm: realm.to_owned(), service: owned(service), scope: owned(scope) })
    };
    let cases = [
        ("Basic realm=\"here\"", Some(Challenge::Basic)),
        ("basic", Some(Challenge::Basic)),
        (
            "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:org/app:pull,push\"",
            bearer(
                "https://auth.docker.io/token",
                Some("registry.docker.io"),
                Some("repository:org/app:pull,push"),
            ),
        ),
        ("bearer  Realm=https://x/t , service=y", bearer("https://x/t", Some("y"), None)),
        ("Bearer realm=\"a\\\"b\", error=\"invalid_token\"", bearer("a\"b", None, None)),
        ("Bearer service=\"x\"", None),
        ("Negotiate", None),
        ("", None),
        ("Bearer realm=\"never closed", bearer("never closed", None, None)),
    ];
    for (field, challenge) in cases {
        assert_eq!(parse(field), challenge, "{field}");
    }
}

#[test]
fn digests_of_versions() {
    assert_eq!(digest_of("sha256:00"), Some("sha256:00"));
    assert_eq!(digest_of("registry.example.org:5000/org/app@sha256:00"), Some("sha256:00"));
    assert_eq!(digest_of("v7"), None);
    assert_eq!(digest_of("prod@2026-01-01T00:00:00Z"), None);
}

/// Answers each request by its head. Each request is on a connection of its own.
async fn stub(answer: impl Fn(SocketAddr, &str) -> String + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            let mut byte = [0];
            // A record type 22 is the start of a TLS hello, which is no HTTP request.
            while !head.ends_with(b"\r\n\r\n") && !head.starts_with(&[22]) {
                match stream.read(&mut byte).await {
                    Ok(1) => head.push(byte[0]),
                    _ => break,
                }
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            if head.contains("HTTP/1.1") {
                let _ = stream.write_all(answer(address, &head).as_bytes()).await;
            }
        }
    });
    address
}

fn said(status: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len())
}

const MANIFEST: &str = "{\"schemaVersion\":2}";

/// A registry with a token server. The server gives the token to clients with the right password or with an
/// identity.
fn tokens(address: SocketAddr, head: &str) -> String {
    let known = head.contains("authorization: Basic dXNlcjpwYXNz") || head.starts_with("POST /token ");
    if head.contains(" /token") {
        if head.starts_with("GET") {
            assert!(head.contains("/token?service=here&scope=repository%3Aorg%2Fapp%3Apull"), "{head}");
        }
        return if known { said("200 OK", "", "{\"token\":\"t0k\"}") } else { said("401 No", "", "no") };
    }
    if head.contains("authorization: Bearer t0k") {
        return said("200 OK", "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n", MANIFEST);
    }
    let field = format!("WWW-Authenticate: Bearer realm=\"http://{address}/token\",service=\"here\"\r\n");
    said("401 Unauthorized", &field, "")
}

#[tokio::test]
async fn a_token_is_asked_for_where_the_registry_wants_one() {
    let host = stub(tokens).await.to_string();
    let password =
        |password: &str| Login::Password { username: "user".to_owned(), password: password.to_owned() };
    for login in [password("pass"), Login::Identity("refresh".to_owned())] {
        let registry = Registry::open(&host, Some(login)).await.unwrap();
        let manifest = registry.manifest("org/app", "v1").await.unwrap();
        assert_eq!(manifest.kind, "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(
            (manifest.bytes.as_slice(), manifest.digest),
            (MANIFEST.as_bytes(), sha256(MANIFEST.as_bytes()))
        );
    }
    for login in [Some(password("wrong")), None] {
        let registry = Registry::open(&host, login).await.unwrap();
        let fault = registry.manifest("org/app", "v1").await.unwrap_err();
        assert!(matches!(fault, RegistryFault::Unauthorized { .. }), "{fault}");
        assert!(!fault.to_string().contains("wrong"));
    }
    assert_eq!(format!("{:?}", password("pass")), "Login(..)");
}

#[tokio::test]
async fn answers_of_a_registry_are_checked() {
    let answer = |_, head: &str| match head {
        head if head.contains("/large ") => said("200 OK", "", &"x".repeat((4 << 20) + 1)),
        head if head.contains("/moved ") => said("302 Found", "Location: http://127.0.0.1:9/\r\n", ""),
        head if head.contains("/broken ") => {
            said("500 Broken", "", "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"disk\"}]}")
        }
        _ => said("200 OK", "", MANIFEST),
    };
    let registry = Registry::open(&stub(answer).await.to_string(), None).await.unwrap();
    let other = sha256(b"something else");
    let fault = registry.manifest("org/app", &other).await.unwrap_err();
    assert!(matches!(fault, RegistryFault::Malformed { .. }), "{fault}");
    assert!(registry.manifest("org/app", &sha256(MANIFEST.as_bytes())).await.is_ok());
    assert!(matches!(
        registry.manifest("org/app", "large").await.unwrap_err(),
        RegistryFault::Malformed { .. }
    ));
    let fault = registry.manifest("org/app", "moved").await.unwrap_err();
    assert!(matches!(fault, RegistryFault::Refused { status: 302, .. }), "{fault}");
    let fault = registry.manifest("org/app", "broken").await.unwrap_err();
    assert!(matches!(&fault, RegistryFault::Away { why, .. } if why.ends_with("UNKNOWN: disk")), "{fault}");
}
