//! Clients that begin to speak the new protocol before they have read the 101 (RFC 9110, 7.8). The origin
//! is silent until it has their bytes and their end, so a byte that the door holds would stop the tunnel.

use std::any::Any;
use std::io::Write;
use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;
use greenlight::routing::Protocol;
use h2::ext;
use h2::server::Builder;
use http::Response;
use tokio::sync::Notify;

use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::flow::rest;
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::h2_origin::H2Origin;
use greenlight_testkit::origin::Origin;
use greenlight_testkit::peer::{Peer, request};
use greenlight_testkit::secure_client::Settings;

/// More than the door reads ahead of the 101.
const MANY: usize = 100_000;

/// An origin that switches when it is told to, reads to the client's end, and says "bye".
struct Silent {
    setup: Setup,
    go: Box<dyn Fn()>,
    /// The bytes that the origin got.
    got: mpsc::Receiver<Vec<u8>>,
    _origin: Box<dyn Any>,
}

fn silent_h1() -> Silent {
    let (told, got) = mpsc::sync_channel(8);
    let (go, gone) = mpsc::sync_channel(8);
    let gone = Mutex::new(gone);
    let origin = Origin::start(move |link| {
        if link.head().is_none() {
            return;
        }
        gone.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        link.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        told.send(link.rest()).unwrap();
        link.send("bye");
    });
    let setup = Setup::new(&[origin.address], &[]);
    Silent { setup, go: Box::new(move || go.send(()).unwrap()), got, _origin: Box::new(origin) }
}

fn silent_h2() -> Silent {
    let (told, got) = mpsc::sync_channel(8);
    let go = Arc::new(Notify::new());
    let gone = Arc::clone(&go);
    let origin = H2Origin::start_as(Builder::new().enable_connect_protocol(), move |mut ask| {
        let (told, gone) = (told.clone(), Arc::clone(&gone));
        Box::pin(async move {
            gone.notified().await;
            let mut send = ask.respond.send_response(Response::new(()), false).unwrap();
            let came = rest(ask.request.body_mut()).await.unwrap();
            told.send(came).unwrap();
            send.send_data(Bytes::from_static(b"bye"), true).unwrap();
        })
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.settings().protocol = Protocol::H2c;
    Silent { setup, go: Box::new(move || go.notify_one()), got, _origin: Box::new(origin) }
}

/// The name of a kind of origin, and how one is started.
type Kind = (&'static str, fn() -> Silent);

const KINDS: [Kind; 2] = [("h1", silent_h1), ("h2c", silent_h2)];

fn ask() -> Vec<u8> {
    format!(
        "GET /chat HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

/// The pieces in which a client sends its head and its first bytes, and whether the 101 comes before the
/// last piece.
fn pieces() -> Vec<(Vec<Vec<u8>>, bool)> {
    let first = b"\x81\x85\0\0\0\0hello".to_vec();
    vec![
        (vec![[ask(), first.clone()].concat()], false),
        (vec![ask(), first.clone()], false),
        (vec![ask(), first.clone()], true),
        (vec![[ask(), vec![0x81; MANY]].concat()], false),
        (vec![ask()], false),
    ]
}

fn expected(sent: &[Vec<u8>]) -> Vec<u8> {
    sent.concat()[ask().len()..].to_vec()
}

fn is_switched(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\nbye")
}

#[test]
fn first_bytes_and_a_fin_before_the_101_reach_a_silent_origin() {
    for (kind, silent) in KINDS {
        for (sent, late) in pieces() {
            let origin = silent();
            let front = origin.setup.start();
            let mut client = front.client();
            for (number, piece) in sent.iter().enumerate() {
                if late && number + 1 == sent.len() {
                    (origin.go)();
                }
                client.send(piece);
            }
            client.half_close();
            if !late {
                (origin.go)();
            }
            let got = origin.got.recv_timeout(PATIENCE).expect(kind);
            assert!(got == expected(&sent), "{kind}: {} bytes", got.len());
            assert!(is_switched(&client.rest().unwrap()), "{kind}");
        }
    }
}

#[test]
fn first_bytes_and_a_close_notify_before_the_101_reach_a_silent_origin() {
    let files = Files::new();
    files.issue("app", &[HOST]);
    let live = files.live(&list(&["app"]));
    let settings = Settings::new(&files.authority);
    for (kind, silent) in KINDS {
        for (sent, late) in pieces() {
            let mut origin = silent();
            origin.setup.facts = vec![facts(&live)];
            let front = origin.setup.start();
            let mut client = settings.connect(front.address, HOST);
            for (number, piece) in sent.iter().enumerate() {
                if late && number + 1 == sent.len() {
                    (origin.go)();
                }
                client.send(piece);
            }
            client.stream.conn.send_close_notify();
            client.stream.flush().unwrap();
            if !late {
                (origin.go)();
            }
            let got = origin.got.recv_timeout(PATIENCE).expect(kind);
            assert!(got == expected(&sent), "{kind}: {} bytes", got.len());
            let (answer, orderly) = client.rest();
            assert!(is_switched(&answer) && orderly, "{kind}");
        }
    }
}

#[test]
fn first_bytes_of_a_stream_before_its_200_reach_a_silent_origin() {
    for (kind, silent) in KINDS {
        for first in [&b"hello"[..], b""] {
            let origin = silent();
            let front: Front = origin.setup.start();
            let mut peer = Peer::connect(front.address);
            let mut asked = request("CONNECT", "/chat");
            asked.extensions_mut().insert(ext::Protocol::from("websocket"));
            let begin = greenlight::clock::instant();
            while !peer.sender.is_extended_connect_protocol_enabled() {
                assert!(begin.elapsed() < PATIENCE);
                std::thread::yield_now();
            }
            let (response, mut send) = peer.send(asked, false);
            send.send_data(Bytes::copy_from_slice(first), true).unwrap();
            (origin.go)();
            assert_eq!(origin.got.recv_timeout(PATIENCE).expect(kind), first, "{kind}");
            let mut body = peer.wait(response).unwrap().into_body();
            assert_eq!(peer.wait(rest(&mut body)).unwrap(), b"bye", "{kind}");
        }
    }
}
