//! Upgrades: what becomes a tunnel, what does not, and how a WebSocket connection ends at a drain.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use greenlight::model::{Color, ServiceName};
use greenlight::traffic::WorkerAsk;

use greenlight_testkit::client::{Client, PATIENCE};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Link, Origin, with_length};

const SWITCHING: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
/// "hello", unmasked and masked with zeros.
const DOWN: &[u8] = b"\x81\x05hello";
const UP: &[u8] = b"\x81\x85\0\0\0\0hello";
const CLOSE: &[u8] = b"\x88\x02\x03\xe9";

fn ask(protocol: &str) -> String {
    format!("GET /chat HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: {protocol}\r\n\r\n")
}

fn opened(front: &Front) -> Client {
    let mut client = front.client();
    client.send(ask("websocket"));
    assert!(client.take_head().unwrap().starts_with("HTTP/1.1 101 "));
    client
}

fn farewell(front: &Front, one_in: u32) -> u64 {
    let service = ServiceName::new("app");
    let ask = |reply| WorkerAsk::DrainClose { service: service.clone(), color: Color::Blue, one_in, reply };
    front.ask(ask).iter().sum()
}

/// The Close of a client: masked; the status code in clear.
fn closed(frame: &[u8]) -> u16 {
    assert_eq!(frame[..2], [0x88, 0x82], "a masked Close of two bytes");
    u16::from_be_bytes([frame[6] ^ frame[2], frame[7] ^ frame[3]])
}

#[test]
fn a_farewell_is_a_close_frame_on_both_sides_between_frames() {
    let (told, seen) = mpsc::sync_channel(8);
    let (go, gone) = mpsc::sync_channel::<()>(8);
    let gone = Mutex::new(gone);
    let origin = Origin::start(move |link| {
        link.head();
        // A frame that is not whole yet.
        link.send([SWITCHING.as_bytes(), &DOWN[..3]].concat());
        told.send(link.take(UP.len()).unwrap()).unwrap();
        gone.lock().unwrap().recv().unwrap();
        // Its rest, and another frame that nobody is to see.
        link.send([&DOWN[3..], DOWN].concat());
        told.send(link.take(8).unwrap()).unwrap();
        link.send(CLOSE);
        told.send(link.rest()).unwrap();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = opened(&front);
    assert_eq!(client.take(3).unwrap(), &DOWN[..3]);
    client.send(UP);
    assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), UP);
    assert_eq!(front.evidence(Color::Blue), (1, 0), "an answer counts at its head");
    assert_eq!(front.metric("greenlight_tunnels{color=\"blue\",service=\"app\"}"), Some(1.0));

    assert_eq!(farewell(&front, 1), 1);
    assert_eq!(farewell(&front, 1), 0, "told once");
    // The origin is between frames: it is told. The client is not yet.
    go.send(()).unwrap();
    assert_eq!(closed(&seen.recv_timeout(PATIENCE).unwrap()), 1001);
    assert_eq!(client.take(DOWN.len() - 3).unwrap(), &DOWN[3..]);
    assert_eq!(client.take(CLOSE.len()).unwrap(), CLOSE);
    // What a client sends meanwhile goes nowhere; its Close ends the connection.
    client.send(UP);
    client.send(b"\x88\x82\0\0\0\0\x03\xe9");
    client.expect_end();
    assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), b"");
    while front.inflight(Color::Blue) > 0 {
        std::thread::yield_now();
    }
    assert_eq!(front.evidence(Color::Blue), (0, 0), "its end is no second answer");
    assert_eq!(front.metric("greenlight_tunnels{color=\"blue\",service=\"app\"}"), Some(0.0));
    assert_eq!(front.metric("greenlight_farewells_total"), Some(1.0));
    assert_eq!(front.metric("greenlight_cut_total"), Some(0.0));
}

/// Speaks WebSocket: answers a Close with a Close.
fn polite(link: &mut Link) {
    link.head();
    link.send(SWITCHING);
    while let Some(header) = link.take(2) {
        let Some(rest) = link.take(4 + usize::from(header[1] & 0x7f)) else { return };
        if header[0] == 0x88 {
            link.send(CLOSE);
            return;
        }
        link.send(&header[..1]);
        link.send([&[header[1] & 0x7f], &rest[4..]].concat());
    }
}

#[test]
fn farewells_come_one_after_the_other_and_only_to_their_color() {
    let blue = Origin::start(polite);
    let green = Origin::start(polite);
    let front = Front::between(&[blue.address], &[green.address]);
    let mut old: Vec<_> = (0..8).map(|_| opened(&front)).collect();
    front.change(|service| service.active = Color::Green);
    let mut new = opened(&front);
    let told: Vec<u64> = (1..=4).rev().map(|left| farewell(&front, left)).collect();
    assert_eq!(told, [2, 2, 2, 2]);
    for client in &mut old {
        assert_eq!(client.take(CLOSE.len()).unwrap(), CLOSE);
        client.send(b"\x88\x82\0\0\0\0\x03\xe9");
        client.expect_end();
    }
    new.send(UP);
    assert_eq!(new.take(DOWN.len()).unwrap(), DOWN);
    assert_eq!(front.inflight(Color::Blue), 0);
}

#[test]
fn a_client_that_ignores_its_close_is_cut_in_the_end_and_counted() {
    let origin = Origin::start(polite);
    let front = Front::between(&[origin.address], &[]);
    let mut client = opened(&front);
    farewell(&front, 1);
    assert_eq!(client.take(CLOSE.len()).unwrap(), CLOSE);
    assert_eq!(front.inflight(Color::Blue), 1, "it has its time");
    assert_eq!(front.cut(Color::Blue), 1);
    client.expect_end();
    assert_eq!(front.metric("greenlight_cut_total"), Some(1.0));
}

#[test]
fn other_protocols_get_no_frames_of_ours() {
    let (told, seen) = mpsc::sync_channel(1);
    let origin = Origin::start(move |link| {
        link.head();
        link.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: raw/1\r\n\r\nbytes");
        told.send(link.rest()).unwrap();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(ask("raw/1"));
    client.take_head().unwrap();
    assert_eq!(client.take(5).unwrap(), b"bytes");
    assert_eq!(farewell(&front, 1), 0);
    client.send("more");
    assert_eq!(front.cut(Color::Blue), 1);
    client.expect_end();
    let rest = seen.recv_timeout(PATIENCE).unwrap();
    assert!(b"more".starts_with(&rest[..]), "{rest:?}");
}

#[test]
fn a_shutdown_says_farewell_too() {
    let origin = Origin::start(polite);
    let mut front = Front::between(&[origin.address], &[]);
    let mut client = opened(&front);
    front.begin_shutdown(Duration::from_secs(5));
    assert_eq!(client.take(CLOSE.len()).unwrap(), CLOSE);
    client.send(b"\x88\x82\0\0\0\0\x03\xe9");
    client.expect_end();
    front.shut_down();
}

#[test]
fn frames_that_a_client_sent_ahead_of_the_answer_are_followed() {
    let (told, seen) = mpsc::sync_channel(2);
    let origin = Origin::start(move |link| {
        link.head();
        link.send(SWITCHING);
        told.send(link.take(UP.len()).unwrap()).unwrap();
        told.send(link.take(8).unwrap()).unwrap();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send([ask("websocket").as_bytes(), &UP[..4]].concat());
    client.take_head().unwrap();
    farewell(&front, 1);
    assert_eq!(client.take(CLOSE.len()).unwrap(), CLOSE);
    client.send(&UP[4..]);
    assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), UP);
    assert_eq!(closed(&seen.recv_timeout(PATIENCE).unwrap()), 1001);
}

#[test]
fn an_upgrade_that_is_not_granted_is_a_plain_request() {
    let origin = Origin::answering(with_length("HTTP/1.1 200 OK", b"plain"));
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    for _ in 0..2 {
        client.send(ask("websocket"));
        assert_eq!(client.response().text(), "plain");
    }
    assert_eq!(client.get(HOST, "/").text(), "plain");
    // Bytes behind such a request are of a protocol that is not spoken: they are no next request.
    client.send([ask("websocket").as_bytes(), b"GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n"].concat());
    let response = client.response();
    assert_eq!((response.text().as_str(), response.header("connection")), ("plain", Some("close")));
    client.expect_end();
    assert!(origin.heads().iter().all(|head| !head.contains("smuggled")));
}

#[test]
fn early_hints_pass_to_those_who_know_them() {
    let origin = Origin::answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    let hints = client.get(HOST, "/");
    assert_eq!((hints.status, hints.header("link")), (103, Some("</a.css>; rel=preload")));
    assert_eq!(client.response().text(), "ok");
    client.send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
    assert_eq!(client.response().status, 200, "HTTP/1.0 has no interim answers");
}

#[test]
fn a_tunnel_that_is_silent_for_its_time_is_closed() {
    let origin = Origin::start(polite);
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.settings().tunnel_idle_timeout = Duration::from_millis(150);
    let front = setup.start();
    opened(&front).expect_end();
}

/// What is said in a tunnel is between its two ends: also what is no frame at all, however it is cut.
#[test]
fn a_tunnel_changes_no_byte() {
    const BYTES: usize = 300_000;
    let noise = |seed: u64| {
        let mut random = fastrand::Rng::with_seed(seed);
        std::iter::repeat_with(move || random.u8(..)).take(BYTES).collect::<Vec<u8>>()
    };
    let (told, seen) = mpsc::sync_channel(1);
    let down = noise(1);
    let origin = Origin::start(move |link| {
        link.head();
        link.send(SWITCHING);
        let mut random = fastrand::Rng::with_seed(3);
        let mut rest = &down[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random.usize(1..=rest.len().min(9000)));
            link.send(piece);
            rest = after;
        }
        told.send(link.take(BYTES).unwrap()).unwrap();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = opened(&front);
    let up = noise(2);
    for piece in up.chunks(7001) {
        client.send(piece);
    }
    assert!(client.take(BYTES).unwrap() == noise(1));
    assert!(seen.recv_timeout(PATIENCE).unwrap() == up);
}

#[test]
fn bytes_behind_an_upgrade_that_we_refuse_are_no_request() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut client = front.client();
    client.send(ask("websocket").replace(HOST, "nobody.test") + &smuggled);
    let response = client.response();
    assert_eq!((response.status, response.header("connection")), (404, Some("close")));
    client.expect_end();
    assert_eq!(origin.heads(), Vec::<String>::new());
    // Without such bytes the connection is kept.
    let mut client = front.client();
    client.send(ask("websocket").replace(HOST, "nobody.test"));
    assert_eq!(client.response().status, 404);
    assert_eq!(client.get(HOST, "/").text(), "x");
}

/// The endpoint of a tunnel that has nobody left to talk to may close it as it likes.
#[test]
fn how_an_origin_closes_a_tunnel_that_is_over_is_no_failure() {
    let origin = Origin::start(|link| {
        link.head();
        link.send(SWITCHING);
        if link.take(2).is_some_and(|begin| begin == *b"\x88\x82") {
            link.take(6);
            link.send(CLOSE);
        }
        link.reset_at_end();
    });
    let front = Front::between(&[origin.address], &[]);
    let settled = || {
        while front.inflight(Color::Blue) > 0 {
            std::thread::yield_now();
        }
        front.evidence(Color::Blue)
    };
    let mut client = opened(&front);
    client.half_close();
    client.expect_end();
    assert_eq!(settled(), (1, 0), "the client has left");
    let mut client = opened(&front);
    client.send(b"\x88\x82\0\0\0\0\x03\xe9");
    assert_eq!(client.take(CLOSE.len()).unwrap(), CLOSE);
    client.expect_end();
    assert_eq!(settled(), (1, 0), "both have said Close");
    let mut client = opened(&front);
    client.send(&UP[..2]);
    client.expect_end();
    assert_eq!(settled(), (1, 1), "cut in the middle");
}
