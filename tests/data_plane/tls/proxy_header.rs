//! PROXY headers in front of plain and of TLS connections.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use greenlight::data_plane::ListenerFacts;

use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::secure_client::Settings;

const V1: &[u8] = b"PROXY TCP4 192.0.2.9 198.51.100.7 1234 8443\r\n";

fn v2() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x11".to_vec();
    header.extend_from_slice(&[192, 0, 2, 9, 198, 51, 100, 7, 0x04, 0xd2, 0x20, 0xfb]);
    // A TLV that nobody knows.
    header.extend_from_slice(&[0xe0, 0x00, 0x02, 1, 2]);
    header
}

fn local() -> Vec<u8> {
    b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00".to_vec()
}

fn front(origin: &Origin, set: impl FnOnce(&mut Setup)) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![ListenerFacts { proxy_protocol: true, ..ListenerFacts::default() }];
    set(&mut setup);
    setup.start()
}

#[test]
fn the_client_is_who_the_header_says_however_it_is_cut() {
    let origin = Origin::naming("ok");
    let front = front(&origin, |_| {});
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    for header in [V1.to_vec(), v2(), local()] {
        let bytes = [&header[..], request.as_bytes()].concat();
        for cut in 1..header.len() + 4 {
            let mut client = front.client();
            client.send(&bytes[..cut]);
            // In most rounds the front door has read the first part by then; right in any case.
            std::thread::yield_now();
            client.send(&bytes[cut..]);
            assert_eq!(client.response().text(), "ok", "cut at {cut}");
        }
        let heads = origin.heads();
        let head = heads.last().unwrap();
        if header == local() {
            assert!(head.contains("\r\nX-Forwarded-For: 127.0.0.1\r\n"), "{head}");
        } else {
            assert!(head.contains("\r\nX-Forwarded-For: 192.0.2.9\r\n"), "{head}");
            assert!(head.contains("\r\nX-Forwarded-Port: 8443\r\n"), "{head}");
            assert!(head.contains("\r\nX-Real-IP: 192.0.2.9\r\n"), "{head}");
        }
    }
}

#[test]
fn strangers_are_closed_without_an_answer() {
    const SHORT: Duration = Duration::from_millis(150);
    let origin = Origin::naming("ok");
    let front = front(&origin, |setup| setup.limits.detection_timeout = SHORT);
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    for bytes in [request.as_bytes(), b"PROXY NONSENSE\r\n", b"PROXY TCP4 1.2.3.4", &v2()[..20], b""] {
        let mut client = front.client();
        client.send(bytes);
        client.expect_end();
    }
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_handshake_may_follow_the_header_in_the_same_packet_or_not() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let origin = Origin::naming("ok");
    let front = front(&origin, |setup| {
        setup.facts = vec![ListenerFacts { proxy_protocol: true, ..facts(&live) }];
    });
    let settings = Settings::new(&files.authority);
    for header in [V1.to_vec(), v2()] {
        let mut socket = TcpStream::connect(front.address).unwrap();
        socket.write_all(&header).unwrap();
        let mut client = settings.over(socket, "app.test").unwrap();
        assert_eq!(client.get(HOST, "/").text(), "ok");
        let heads = origin.heads();
        assert!(heads.last().unwrap().contains("\r\nX-Forwarded-For: 192.0.2.9\r\n"), "{heads:?}");
    }
}
