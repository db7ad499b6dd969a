//! Bodies through TLS: whole, in order, ended as they ended at the origin.

use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Origin, with_length};
use greenlight_testkit::secure_client::Settings;

fn front(origin: &Origin, files: &Files) -> Front {
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![facts(&live)];
    setup.start()
}

fn large() -> Vec<u8> {
    (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn large_bodies_pass_both_ways_unchanged() {
    let body = large();
    let expected = body.clone();
    let origin = Origin::start(move |link| {
        while link.head().is_some() {
            let Some(body) = link.take(4_000_000) else { return };
            link.send(with_length("HTTP/1.1 200 OK", &body));
        }
    });
    let files = Files::new();
    let front = front(&origin, &files);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let settings = Settings::with(&files.authority, &[version], None);
        let mut client = settings.connect(front.address, "app.test");
        for piece in [1_000_000, 70_000, 16_384, 1_009] {
            let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n\r\n", body.len());
            client.send(head);
            // In records of many sizes.
            for part in body.chunks(piece) {
                client.send(part);
            }
            let response = client.response().unwrap();
            assert!(response.body == expected, "{} of {} bytes", response.body.len(), expected.len());
        }
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            link.send(with_length("HTTP/1.1 200 OK", path.as_bytes()));
        }
    });
    let files = Files::new();
    let front = front(&origin, &files);
    let settings = Settings::new(&files.authority);
    let mut client = settings.connect(front.address, "app.test");
    let requests: Vec<_> = (0..50).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).collect();
    client.send(requests.concat());
    for n in 0..50 {
        assert_eq!(client.response().unwrap().text(), format!("/{n}"));
    }
}

#[test]
fn a_close_is_a_close_notify_and_a_cut_is_none() {
    let files = Files::new();
    let whole = Origin::answering_once(b"HTTP/1.0 200 OK\r\n\r\nto the end".to_vec());
    let short = Origin::answering_once(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec());
    for (origin, body, orderly) in [(&whole, &b"to the end"[..], true), (&short, b"half", false)] {
        let front = front(origin, &files);
        let settings = Settings::new(&files.authority);
        let mut client = settings.connect(front.address, "app.test");
        client.send(format!("GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n"));
        let (all, ended) = client.rest();
        assert!(all.ends_with(body), "{:?}", String::from_utf8_lossy(&all));
        // With a length the client knows by itself, but a cut is never called an end.
        assert!(ended == orderly || all.windows(15).any(|name| name == b"Content-Length:"), "{all:?}");
    }
    // A body that ends with the connection has nothing but the end to tell it by.
    let cut = Origin::start(|link| {
        if link.head().is_some() {
            link.send(b"HTTP/1.1 200 OK\r\n\r\nhalf");
            link.reset_at_end();
            // Only once that has arrived: a reset takes along what was not read yet.
            link.take(1);
        }
    });
    let front = front(&cut, &files);
    let settings = Settings::new(&files.authority);
    let mut client = settings.connect(front.address, "app.test");
    client.send(format!("GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n"));
    drop(front);
    assert!(!client.rest().1, "a cut body must not look whole");
}

#[test]
fn an_answer_before_the_body_is_read_arrives_with_its_end() {
    let files = Files::new();
    let origin = Origin::naming("ok");
    let front = front(&origin, &files);
    let settings = Settings::new(&files.authority);
    let mut client = settings.connect(front.address, "app.test");
    client.send("POST / HTTP/1.1\r\nHost: nobody.test\r\nContent-Length: 5000\r\n\r\npart");
    assert_eq!(client.response().unwrap().status, 404);
    assert_eq!(client.rest(), (Vec::new(), true));
}

#[test]
fn what_follows_a_close_notify_counts_for_nothing_and_holds_up_nobody() {
    let files = Files::new();
    let origin = Origin::naming("ok");
    let front = front(&origin, &files);
    let settings = Settings::new(&files.authority);
    let mut over = settings.connect(front.address, "app.test");
    over.stream.conn.send_close_notify();
    let mut bytes = Vec::new();
    while over.stream.conn.wants_write() {
        over.stream.conn.write_tls(&mut bytes).unwrap();
    }
    // More than is looked at in one piece, in one packet with the end.
    bytes.resize(40_000, 0x17);
    std::io::Write::write_all(&mut over.stream.sock, &bytes).unwrap();
    let mut other = settings.connect(front.address, "app.test");
    assert_eq!(other.get(HOST, "/").text(), "ok");
}
