//! Clients that leave the queue over TLS: with a word, and without.

use std::io::ErrorKind;

use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::queued::{GET, limit};
use greenlight_testkit::secure_client::{SecureClient, Settings};

/// A client that waits in the queue, or none if there is no room.
fn wait(settings: &Settings, front: &Front) -> Option<SecureClient> {
    let mut client = settings.connect(front.address, HOST);
    client.send(GET);
    let mut other = settings.connect(front.address, HOST);
    for _ in 0..2 {
        // The worker has looked at the first by then.
        assert_eq!(other.get("nobody.test", "/").status, 404);
    }
    client.stream.sock.set_nonblocking(true).unwrap();
    let peeked = client.stream.sock.peek(&mut [0]);
    client.stream.sock.set_nonblocking(false).unwrap();
    if matches!(peeked, Err(why) if why.kind() == ErrorKind::WouldBlock) {
        return Some(client);
    }
    assert_eq!(client.response().unwrap().status, 503);
    None
}

#[test]
fn a_client_that_leaves_the_queue_gives_its_place_up() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    // Tickets of TLS 1.3 come after the handshake, and would look like an answer.
    let settings = Settings::with(&files.authority, &[&rustls::version::TLS12], None);
    for orderly in [true, false] {
        let (origin, arrivals, go) = Origin::held();
        let mut setup = Setup::new(&[origin.address], &[]);
        limit(&mut setup);
        setup.facts = vec![facts(&live)];
        let front = setup.start();
        let mut busy = settings.connect(front.address, HOST);
        busy.send(GET);
        arrivals.recv_timeout(PATIENCE).unwrap();
        let mut waiting = wait(&settings, &front).expect("room for one");
        assert!(wait(&settings, &front).is_none(), "and for no other");
        if orderly {
            waiting.stream.conn.send_close_notify();
            std::io::Write::flush(&mut waiting.stream).unwrap();
        }
        drop(waiting);
        let begun = greenlight::clock::instant();
        let mut next = loop {
            if let Some(client) = wait(&settings, &front) {
                break client;
            }
            assert!(begun.elapsed() < PATIENCE, "its place was never given up");
        };
        go.send(()).unwrap();
        assert_eq!(busy.response().unwrap().text(), "held");
        arrivals.recv_timeout(PATIENCE).unwrap();
        go.send(()).unwrap();
        assert_eq!(next.response().unwrap().text(), "held");
        assert_eq!(origin.heads().len(), 2, "the one that left never got to the origin");
    }
}
