//! The choice of the certificate for a client, and the guarantees of a TLS listener.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use rustls::HandshakeKind;

use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::client::Client;
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Origin, with_length};
use greenlight_testkit::secure_client::Settings;

fn front(origin: &Origin, set: impl FnOnce(&mut Setup)) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    set(&mut setup);
    setup.start()
}

#[test]
fn sni_chooses_the_certificate() {
    let files = Files::new();
    files.issue("first", &["first.test"]);
    files.issue("exact", &["a.wild.test", "other.test"]);
    files.issue("wild", &["*.wild.test"]);
    let live = files.live(&list(&["first", "exact", "wild"]));
    let front = front(&Origin::naming("ok"), |setup| setup.facts = vec![facts(&live)]);
    let settings = Settings::new(&files.authority);
    for (asked, shown) in [
        ("first.test", "first.test"),
        ("other.test", "a.wild.test"),
        ("a.wild.test", "a.wild.test"),
        ("A.Wild.Test", "a.wild.test"),
        ("b.wild.test", "*.wild.test"),
        // A wildcard stands for exactly one label.
        ("c.b.wild.test", "first.test"),
        ("wild.test", "first.test"),
        ("unknown.test", "first.test"),
        // An address is no SNI, so this client sends none.
        ("127.0.0.1", "first.test"),
    ] {
        let mut client = settings.connect(front.address, asked);
        assert_eq!(settings.shown().names[0], shown, "{asked}");
        assert_eq!(client.get(HOST, "/").text(), "ok", "{asked}");
    }
}

#[test]
fn a_request_for_the_host_of_another_certificate_gets_421() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    files.issue("other", &["other.test"]);
    files.issue("wild", &["*.wild.test"]);
    let live = files.live(&list(&["app", "other", "wild"]));
    let origin = Origin::naming("ok");
    let front = front(&origin, |setup| {
        setup.facts = vec![facts(&live)];
        setup.service.hosts.extend(["other.test", "b.wild.test", "nowhere.test"].map(str::to_owned));
    });
    let settings = Settings::new(&files.authority);
    for (asked, host, status) in [
        ("app.test", "app.test", 200),
        ("app.test", "APP.test:443", 200),
        ("app.test", "other.test", 421),
        ("app.test", "b.wild.test", 421),
        ("a.wild.test", "b.wild.test", 200),
        // No certificate covers this host, so the client could not get a better one.
        ("app.test", "nowhere.test", 200),
        // No certificate has this name, so the client gets the default one.
        ("unknown.test", "app.test", 200),
        // A proxy in front sends its own name on every connection.
        ("unknown.test", "other.test", 200),
        ("unknown.test", "b.wild.test", 200),
        // A load balancer sends no SNI.
        ("127.0.0.1", "other.test", 200),
    ] {
        let mut client = settings.connect(front.address, asked);
        assert_eq!(client.get(host, "/").status, status, "{asked}, {host}");
        if status == 421 {
            // The connection stays open for other hosts.
            assert_eq!(client.get("nowhere.test", "/").status, 200);
        }
    }
}

#[test]
fn a_client_that_offers_http_1_0_alone_is_served() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let front = front(&Origin::naming("ok"), |setup| setup.facts = vec![facts(&live)]);
    let mut settings = Settings::new(&files.authority);
    for offered in [&["http/1.0"][..], &["http/1.0", "http/1.1"]] {
        settings.config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut client = settings.connect(front.address, "app.test");
        assert_eq!(client.get(HOST, "/").text(), "ok", "{offered:?}");
    }
}

#[test]
fn both_versions_shake_hands_and_resume_by_ticket() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let front = front(&Origin::naming("ok"), |setup| {
        setup.facts = vec![facts(&live)];
        setup.workers = 2;
    });
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let settings = Settings::with(&files.authority, &[version], None);
        let mut first = settings.connect(front.address, "app.test");
        assert_eq!(first.kind(), HandshakeKind::Full);
        assert_eq!(first.get(HOST, "/").text(), "ok");
        for _ in 0..4 {
            let mut again = settings.connect(front.address, "app.test");
            assert_eq!(again.kind(), HandshakeKind::Resumed, "{version:?}");
            assert_eq!(again.get(HOST, "/").text(), "ok");
        }
    }
}

#[test]
fn an_ocsp_answer_is_stapled() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    files.issue("other", &["other.test"]);
    let first: Vec<u8> = [&[0x30, 0x03][..], b"one"].concat();
    let second: Vec<u8> = [&[0x30, 0x81, 0x85][..], &[7; 0x85]].concat();
    files.write("app.ocsp", &first);
    files.write("other.ocsp", &second);
    let tls = "certificates = [{ cert = \"app.pem\", key = \"app.key\" }, \
               { cert = \"other.pem\", key = \"other.key\", ocsp = \"other.ocsp\" }]\nocsp = \"app.ocsp\"";
    let live = files.live(tls);
    let front = front(&Origin::naming("ok"), |setup| setup.facts = vec![facts(&live)]);
    let settings = Settings::new(&files.authority);
    settings.connect(front.address, "app.test");
    assert_eq!(settings.shown().ocsp, first);
    settings.connect(front.address, "other.test");
    assert_eq!(settings.shown().ocsp, second);
}

#[test]
fn an_incomplete_hello_is_closed_in_time_and_delays_no_other_client() {
    const SHORT: Duration = Duration::from_millis(150);
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let front = front(&Origin::naming("ok"), |setup| {
        setup.facts = vec![facts(&live)];
        setup.limits.detection_timeout = SHORT;
    });
    // The record header of a ClientHello, which announces more bytes than the client sends.
    let half = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    let mut stalled: Vec<Client> = (0..50).map(|_| front.client()).collect();
    for (index, client) in stalled.iter_mut().enumerate() {
        client.send(&half[..index % half.len()]);
    }
    let settings = Settings::new(&files.authority);
    assert_eq!(settings.connect(front.address, "app.test").get(HOST, "/").text(), "ok");
    for client in &mut stalled {
        client.expect_end();
    }
    // A handshake without a request behind it is closed without an answer, but with a `close_notify`.
    let (rest, orderly) = settings.connect(front.address, "app.test").rest();
    assert!(rest.is_empty() && orderly, "{rest:?}");
}

#[test]
fn plain_bytes_on_a_tls_port_get_an_alert_and_no_answer() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let origin = Origin::naming("ok");
    let front = front(&origin, |setup| setup.facts = vec![facts(&live)]);
    let mut client = TcpStream::connect(front.address).unwrap();
    client.write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = std::io::Read::read_to_end(&mut client, &mut answer);
    assert!(answer.is_empty() || answer.starts_with(&[21, 3]), "{answer:?}");
    assert_eq!(origin.connections(), 0);
}

#[test]
fn hsts_is_said_in_every_answer_and_an_origins_own_stands() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let own = with_length("HTTP/1.1 200 OK\r\nstrict-transport-security: max-age=5", b"own");
    let [plain, own] = [Origin::naming("ok"), Origin::answering(own)];
    for (origin, expected) in [(&plain, "max-age=86400"), (&own, "max-age=5")] {
        let front = front(origin, |setup| {
            let mut facts = facts(&live);
            facts.hsts = Duration::from_hours(24);
            setup.facts = vec![facts];
        });
        let settings = Settings::new(&files.authority);
        let mut client = settings.connect(front.address, "app.test");
        let response = client.get(HOST, "/");
        assert_eq!(response.header("strict-transport-security"), Some(expected), "{}", response.head);
        assert_eq!(response.head.to_ascii_lowercase().matches("strict-transport").count(), 1);
        let missing = client.get("nobody.test", "/");
        assert_eq!(missing.status, 404);
        assert_eq!(missing.header("strict-transport-security"), Some("max-age=86400"));
    }
    let head = &plain.heads()[0];
    assert!(head.contains("\r\nX-Forwarded-Proto: https\r\n"), "{head}");
}
