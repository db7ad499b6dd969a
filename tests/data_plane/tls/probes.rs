//! Probes of https origins. The prober speaks the protocol that ALPN has chosen.

use std::sync::Arc;
use std::time::Duration;

use greenlight::control_plane::probe::{ProbeTarget, Prober};
use greenlight::health::{Check, CheckKind, ProbeFailure, ProbeOutcome, Speech};
use greenlight::model::{Endpoint, EndpointId, OriginTls};
use h2::server::Builder;
use http::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use greenlight_testkit::certs::Files;
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::h2_origin::{H2Origin, Secured, Socket, text};

const NAME: &str = "origin.internal";

/// Answers a probe over HTTP/1.1 with 200 and the body `one`.
async fn one(mut socket: Box<dyn Socket>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(byte);
    }
    let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none").await;
    let _ = socket.flush().await;
}

/// An origin that offers these protocols by ALPN. Over HTTP/2 it answers `two`, and 503 on `/sick`.
fn origin(files: &Files, protocols: &[&str]) -> H2Origin {
    let mut config = files.authority.issue(&[NAME]).served();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let secured = Secured { config: Arc::new(config), old: |socket| Box::pin(one(socket)) };
    H2Origin::start_on(&Builder::new(), Some(secured), |mut ask| {
        Box::pin(async move {
            if ask.request.uri().path() == "/sick" {
                let sick = Response::builder().status(503).body(()).unwrap();
                ask.respond.send_response(sick, true).unwrap();
            } else {
                text(ask, "two").await;
            }
        })
    })
}

/// Sends one probe and returns its outcome.
fn probe(files: &Files, origin: &H2Origin, path: &str, expect_body: &str) -> ProbeOutcome {
    let kind = CheckKind::Http {
        path: path.to_owned(),
        host: "app.test".to_owned(),
        expect_status: vec![200],
        expect_body: Some(expect_body.to_owned()),
    };
    let tls = OriginTls { ca: Some(files.path("ca.pem")), server_name: NAME.to_owned() };
    let check = Check {
        kind,
        speech: Speech::Tls(tls),
        port: None,
        interval: Duration::from_hours(1),
        timeout: PATIENCE,
        fall: 1,
    };
    let endpoint = Endpoint { id: EndpointId::from("app/blue/1"), address: origin.address, probe: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (reports, mut received) = tokio::sync::mpsc::channel(1);
        let prober = Prober::start(reports, Arc::default());
        prober.set_targets(vec![ProbeTarget { endpoint, owner: None, check: Arc::new(check) }]);
        received.recv().await.unwrap().outcome
    })
}

#[test]
fn a_probe_speaks_the_protocol_that_alpn_has_chosen() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let rows: [(&[&str], &str); 4] = [
        (&["h2"], "two"),
        (&["http/1.1", "h2"], "one"),
        (&["h2", "http/1.1"], "two"),
        // The origin offers no ALPN.
        (&[], "one"),
    ];
    for (protocols, body) in rows {
        let origin = origin(&files, protocols);
        assert_eq!(probe(&files, &origin, "/", body), ProbeOutcome::Pass, "{protocols:?}");
        let agreed = origin.agreed().remove(0);
        assert_eq!(agreed.name.as_deref(), Some(NAME));
        if body == "two" {
            assert_eq!(agreed.protocol.as_deref(), Some("h2"));
            assert_eq!(origin.heads()[0].uri(), "https://app.test/");
        }
    }
}

#[test]
fn the_rules_of_a_check_hold_over_http2() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let origin = origin(&files, &["h2"]);
    let failed = ProbeOutcome::Fail(ProbeFailure::Body);
    assert_eq!(probe(&files, &origin, "/", "three"), failed);
    let failed = ProbeOutcome::Fail(ProbeFailure::Status(503));
    assert_eq!(probe(&files, &origin, "/sick", "two"), failed);
    assert_eq!(origin.connections(), 2, "a fresh connection each");
}
