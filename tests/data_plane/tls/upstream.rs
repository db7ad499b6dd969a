//! TLS towards origins.

use std::path::PathBuf;
use std::sync::Arc;

use greenlight::model::{Color, OriginTls};
use greenlight::routing::Protocol;
use rustls::HandshakeKind;

use super::secure_origin::SecureOrigin;
use greenlight_testkit::certs::{Authority, Files};
use greenlight_testkit::front::{Front, HOST, Setup, endpoints};
use greenlight_testkit::origin::Origin;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A service whose origins are known by this authority.
pub(super) fn setup(addresses: &[std::net::SocketAddr], ca: PathBuf) -> Setup {
    let mut setup = Setup::new(addresses, &[]);
    let settings = setup.settings();
    settings.protocol = Protocol::Https;
    settings.tls = Some(OriginTls { ca: Some(ca), server_name: "origin.internal".into() });
    setup
}

fn front(origin: &SecureOrigin, files: &Files) -> Front {
    files.write("ca.pem", files.authority.pem());
    setup(&[origin.address], files.path("ca.pem")).start()
}

#[test]
fn an_origin_with_the_right_certificate_is_asked_and_its_connection_kept() {
    let files = Files::new();
    let origin = SecureOrigin::answering(&files.authority.issue(&["origin.internal"]), OK);
    let front = front(&origin, &files);
    let mut client = front.client();
    for _ in 0..20 {
        assert_eq!(client.get(HOST, "/").text(), "ok");
        // Not replayable: the idle connection is looked at, tickets and all.
        client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(client.response().text(), "ok");
    }
    assert_eq!(origin.connections(), 1);
    assert_eq!(origin.handshakes(), [(HandshakeKind::Full, Some("origin.internal".to_owned()))]);
    assert_eq!(front.evidence(Color::Blue), (40, 0));
}

#[test]
fn sessions_are_resumed() {
    let files = Files::new();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let origin = SecureOrigin::answering(&files.authority.issue(&["origin.internal"]), *answer);
    let front = front(&origin, &files);
    let mut client = front.client();
    for _ in 0..4 {
        assert_eq!(client.get(HOST, "/").text(), "ok");
    }
    let kinds: Vec<_> = origin.handshakes().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds[0], HandshakeKind::Full);
    assert!(kinds[1..].iter().all(|kind| *kind == HandshakeKind::Resumed), "{kinds:?}");
}

#[test]
fn an_origin_that_is_not_the_one_is_a_connect_failure() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let wrong_name = SecureOrigin::answering(&files.authority.issue(&["other.internal"]), OK);
    let wrong_ca = SecureOrigin::answering(&Authority::new().issue(&["origin.internal"]), OK);
    // Speaks no TLS, and says so at the first byte.
    let plain = Origin::start(|link| {
        link.take(1);
        link.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let right = SecureOrigin::answering(&files.authority.issue(&["origin.internal"]), OK);
    for address in [wrong_name.address, wrong_ca.address, plain.address] {
        let mut front = setup(&[address], files.path("ca.pem")).start();
        assert_eq!(front.client().get(HOST, "/").status, 502);
        assert_eq!(front.evidence(Color::Blue).1, 1, "one failed attempt");
        assert!(front.suspected.try_recv().is_ok(), "the prober is told");
        // Nothing was sent, so even a POST goes to another endpoint.
        front.change(|service| service.colors.blue = endpoints(Color::Blue, &[address, right.address]));
        for _ in 0..8 {
            let mut client = front.client();
            client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"));
            assert_eq!(client.response().text(), "ok");
        }
    }
}

#[test]
fn a_handshake_that_hangs_is_a_connect_that_hangs() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let silent = Origin::start(|link| drop(link.rest()));
    let mut setup = setup(&[silent.address], files.path("ca.pem"));
    setup.settings().connect_timeout = std::time::Duration::from_millis(200);
    let front = setup.start();
    assert_eq!(front.client().get(HOST, "/").status, 504);
}

#[test]
fn a_body_without_close_notify_is_cut_short() {
    let files = Files::new();
    let issued = files.authority.issue(&["origin.internal"]);
    let to_end = "HTTP/1.1 200 OK\r\n\r\nbody";
    let orderly = SecureOrigin::start(&issued, move |link| {
        link.head();
        link.send(to_end);
        link.finish();
    });
    let cut = SecureOrigin::start(&issued, move |link| {
        link.head();
        link.send(to_end);
    });
    let whole = front(&orderly, &files).client().get(HOST, "/");
    assert_eq!(whole.text(), "body");
    let front = front(&cut, &files);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert!(client.try_response(false).is_err(), "no last chunk");
    assert_eq!(front.evidence(Color::Blue), (1, 1));
}

#[test]
fn large_bodies_pass_both_ways_unchanged() {
    let body: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
    let files = Files::new();
    let origin = SecureOrigin::start(&files.authority.issue(&["origin.internal"]), |link| {
        while link.head().is_some() {
            let Some(body) = link.take(2_000_000) else { return };
            link.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
            link.send(&body);
        }
    });
    let front = front(&origin, &files);
    let mut client = front.client();
    for _ in 0..3 {
        client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n\r\n", body.len()));
        client.send(&body);
        assert!(client.response().body == body);
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn plain_connections_are_not_used_once_tls_is_asked_for() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain";
    let origin = Origin::start(move |link| {
        while link.take(1).is_some() {
            if link.number > 0 || link.take_until(b"\r\n\r\n").is_some() {
                link.send(answer);
            }
        }
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.settings().pool_idle_timeout = std::time::Duration::from_mins(1);
    let front = setup.start();
    assert_eq!(front.client().get(HOST, "/").text(), "plain");
    let tls = OriginTls { ca: Some(files.path("ca.pem")), server_name: "origin.internal".into() };
    front.change(|service| {
        let settings = Arc::make_mut(&mut service.settings);
        settings.protocol = Protocol::Https;
        settings.tls = Some(tls.clone());
    });
    assert_eq!(front.client().get(HOST, "/").status, 502);
}
