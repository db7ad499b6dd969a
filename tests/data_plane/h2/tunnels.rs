//! WebSocket over HTTP/2 (RFC 8441), for all pairs of client protocol and origin protocol.

use std::time::Duration;

use bytes::Bytes;
use greenlight::model::Color;
use h2::Reason;
use h2::ext::Protocol;
use h2::server::Builder;
use http::{HeaderValue, Method, Request};

use super::upstream::setup;
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::flow::rest;
use greenlight_testkit::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, block, frame,
};
use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::h2_origin::{H2Origin, echo, text};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::peer::{Peer, request};

/// An extended CONNECT for `/chat` with this `:protocol`.
fn extended(protocol: &str) -> Request<()> {
    let mut asked = request("CONNECT", "/chat");
    asked.extensions_mut().insert(Protocol::from(protocol));
    asked.headers_mut().insert("sec-websocket-version", HeaderValue::from_static("13"));
    asked.headers_mut().insert("origin", HeaderValue::from_static("http://app.test"));
    asked
}

/// Connects, and waits until the door's SETTINGS have announced extended CONNECT.
fn connect(front: &Front) -> Peer {
    let peer = Peer::connect(front.address);
    let begin = greenlight::clock::instant();
    while !peer.sender.is_extended_connect_protocol_enabled() {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    peer
}

/// Sends bytes through an open tunnel and back, then ends it.
fn talk(peer: &mut Peer, asked: Request<()>) {
    let (response, mut send) = peer.send(asked, false);
    let answer = peer.wait(response).unwrap();
    assert_eq!(answer.status(), 200);
    for gone in ["upgrade", "connection", "sec-websocket-accept", "transfer-encoding", "content-length"] {
        assert!(!answer.headers().contains_key(gone), "{answer:?}");
    }
    let mut body = answer.into_body();
    for text in ["one", "two", "three"] {
        send.send_data(Bytes::from_static(text.as_bytes()), false).unwrap();
        let mut came = Vec::new();
        while came.len() < text.len() {
            let data = peer.wait(body.data()).unwrap().unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            came.extend_from_slice(&data);
        }
        assert_eq!(came, text.as_bytes());
    }
    send.send_data(Bytes::new(), true).unwrap();
    assert_eq!(peer.wait(rest(&mut body)).unwrap(), b"", "the origin ends it too");
}

/// An HTTP/1.1 origin that accepts every upgrade and echoes the bytes of the tunnel.
fn socket_origin() -> Origin {
    Origin::start(|link| {
        if link.head().is_some() {
            link.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
            while let Some(byte) = link.take(1) {
                link.send(byte);
            }
        }
    })
}

#[test]
fn a_tunnel_reaches_an_origin_of_http1() {
    let origin = socket_origin();
    let front = Front::between(&[origin.address], &[]);
    let mut peer = connect(&front);
    talk(&mut peer, extended("websocket"));
    let head = &origin.heads()[0];
    assert!(head.starts_with("GET /chat HTTP/1.1\r\nHost: app.test\r\n"), "{head}");
    assert!(head.contains("Connection: upgrade\r\nUpgrade: websocket\r\n"), "{head}");
    assert!(head.contains("sec-websocket-version: 13\r\n"), "{head}");
    let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).expect("a key");
    assert_eq!(key.len(), 24, "16 bytes in base64");
    assert!(!peer.driver.is_finished(), "the connection stays");
}

#[test]
fn a_tunnel_that_the_origin_does_not_grant_is_its_answer() {
    let origin = Origin::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = connect(&front);
    let (response, _send) = peer.send(extended("websocket"), false);
    let answer = peer.answer(response).unwrap();
    assert_eq!((answer.status.as_u16(), answer.text()), (403, "no".to_owned()));
}

#[test]
fn a_protocol_of_the_connection_itself_is_no_tunnel() {
    let origin = Origin::naming("plain");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = connect(&front);
    for protocol in ["h2c", "TLS/1.0"] {
        let (response, _send) = peer.send(extended(protocol), false);
        assert_eq!(peer.answer(response).unwrap().status, 501, "{protocol}");
    }
    assert_eq!(origin.heads(), Vec::<String>::new());
}

#[test]
fn a_protocol_that_is_no_token_is_malformed() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = connect(&front);
    for protocol in ["", "web socket", "websocket\r\nx-injected: 1\r\nTransfer-Encoding: chunked"] {
        let (response, _send) = peer.send(extended(protocol), false);
        let error = peer.answer(response).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR), "{protocol:?}");
    }
    // `:protocol` counts for the limit of the head as every other part of the head does.
    let (response, _send) = peer.send(extended(&"a".repeat(33 * 1024)), false);
    assert_eq!(peer.answer(response).unwrap().status, 431);
    assert_eq!(origin.heads(), Vec::<String>::new());
}

/// A client takes any 2xx for an open tunnel (RFC 8441, 5), so the door answers 502.
#[test]
fn an_answer_without_a_switch_opens_no_tunnel() {
    let origin = Origin::naming("<html>");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = connect(&front);
    let (response, _send) = peer.send(extended("websocket"), false);
    let answer = peer.answer(response).unwrap();
    assert_eq!(answer.status, 502);
    assert!(!answer.text().contains("<html>"), "{answer:?}");
    assert_eq!(origin.heads().len(), 1);
    assert_eq!(front.evidence(Color::Blue), (1, 0), "it has answered");
}

#[test]
fn tunnels_reach_an_origin_of_http2() {
    let origin = H2Origin::start_as(Builder::new().enable_connect_protocol(), |ask| {
        assert_eq!(ask.request.method(), Method::CONNECT);
        assert_eq!(ask.request.extensions().get::<Protocol>().unwrap().as_str(), "websocket");
        Box::pin(echo(ask))
    });
    let front = setup(origin.address).start();
    let mut peer = connect(&front);
    talk(&mut peer, extended("websocket"));
    let heads = origin.heads();
    assert_eq!(heads[0].uri().path(), "/chat");
    assert!(!heads[0].headers().contains_key("sec-websocket-key"));

    // An HTTP/1.1 client sends the key of the example in RFC 6455, 1.3, and gets the accept value of that
    // example.
    let mut client = front.client();
    client.send("GET /chat HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    let answer = client.response();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    client.send("hello");
    assert_eq!(client.take(5).unwrap(), b"hello");
    client.half_close();
    client.expect_end();
}

/// The answers of origins that describe a body, although a tunnel has none. Each is a header block behind
/// `:status: 200` (RFC 7541, 6).
fn described() -> Vec<Vec<u8>> {
    vec![
        block(&[("content-length", "0")]),
        block(&[("content-length", "3")]),
        block(&[("content-length", "0"), ("content-length", "7")]),
        block(&[("content-length", "many")]),
        block(&[("transfer-encoding", "chunked")]),
        block(&[("sec-websocket-accept", "foreign"), ("content-length", "0"), ("x-other", "kept")]),
        b"\x5c\x010".to_vec(),
        b"\x0f\x0d\x010".to_vec(),
    ]
}

/// An origin whose answers to extended CONNECT have these fields. It echoes the tunnel.
fn describing(fields: Vec<u8>) -> Origin {
    Origin::start(move |link| {
        let Some(()) = link.take(PREFACE.len()).map(drop) else { return };
        // SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441, 3).
        link.send(frame(SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 1]));
        while let Some(head) = link.take(9) {
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let Some(payload) = link.take(length) else { return };
            let stream = u32::from_be_bytes(head[5..9].try_into().unwrap());
            match head[3] {
                SETTINGS if head[4] & ACK == 0 => link.send(frame(SETTINGS, ACK, 0, &[])),
                HEADERS => link.send(frame(HEADERS, END_HEADERS, stream, &[&[0x88], &fields[..]].concat())),
                DATA => link.send(frame(DATA, head[4] & END_STREAM, stream, &payload)),
                _ => {}
            }
        }
    })
}

#[test]
fn a_body_that_an_origin_of_http2_describes_is_no_part_of_a_tunnel() {
    for fields in described() {
        let origin = describing(fields.clone());
        let front = setup(origin.address).start();
        let mut peer = connect(&front);
        talk(&mut peer, extended("websocket"));
        let mut client = front.client();
        client.send("GET /chat HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        let head = client.take_head().unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{fields:x?}: {head}");
        assert_eq!(head.matches("sec-websocket-accept: ").count(), 1, "{head}");
        assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        assert_eq!(head.contains("x-other: kept"), fields.ends_with(b"kept"), "{head}");
        for gone in ["lengt", "encodin", "if-range"] {
            assert!(!head.contains(gone), "{head}");
        }
        client.send("hello");
        assert_eq!(client.take(5).unwrap(), b"hello", "{fields:x?}");
        assert_eq!(front.evidence(Color::Blue), (2, 0));
    }
}

/// The same for a refusal, whose body has an end without a length.
#[test]
fn a_refused_tunnel_keeps_its_body() {
    let origin = Origin::start(|link| {
        let Some(()) = link.take(PREFACE.len()).map(drop) else { return };
        link.send(frame(SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 1]));
        while let Some(head) = link.take(9) {
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            link.take(length);
            if head[3] == HEADERS {
                let stream = u32::from_be_bytes(head[5..9].try_into().unwrap());
                let refused = [&[0x8d], &block(&[("content-length", "2")])[..]].concat();
                link.send(frame(HEADERS, END_HEADERS, stream, &refused));
                link.send(frame(DATA, END_STREAM, stream, b"no"));
            }
        }
    });
    let front = setup(origin.address).start();
    let mut peer = connect(&front);
    let (response, _send) = peer.send(extended("websocket"), false);
    let answer = peer.answer(response).unwrap();
    assert_eq!((answer.status.as_u16(), answer.text()), (404, "no".to_owned()));
    let mut client = front.client();
    client.send("GET /chat HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let answer = client.response();
    assert_eq!((answer.status, answer.text()), (404, "no".to_owned()));
}

#[test]
fn an_origin_without_tunnels_is_502() {
    let origin = H2Origin::start(|ask| Box::pin(text(ask, "x")));
    let mut front = setup(origin.address).start();
    let mut client = front.client();
    // Five failures of an endpoint would eject it from the pool. Eight refused tunnels do not.
    for _ in 0..8 {
        client.send("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        assert_eq!(client.response().status, 502);
    }
    assert_eq!(front.evidence(Color::Blue), (0, 0), "the origin was not asked");
    assert!(front.suspected.try_recv().is_err());
    assert_eq!(front.client().get(HOST, "/").text(), "x");
    assert_eq!(origin.heads().len(), 1);
}

#[test]
fn a_tunnel_is_cut_with_its_color() {
    let origin = socket_origin();
    let front = Front::between(&[origin.address], &[]);
    let mut peer = connect(&front);
    let (response, mut send) = peer.send(extended("websocket"), false);
    let mut body = peer.wait(response).unwrap().into_body();
    send.send_data(Bytes::from_static(b"x"), false).unwrap();
    assert_eq!(peer.wait(body.data()).unwrap().unwrap(), "x");
    assert_eq!(front.cut(Color::Blue), 1);
    let error = peer.wait(body.data()).unwrap().unwrap_err();
    assert!(error.is_reset() && error.is_remote(), "{error:?}");
    assert!(!peer.driver.is_finished());
}

#[test]
fn a_tunnel_lives_longer_than_the_answers_limits() {
    let origin = socket_origin();
    let mut setup = greenlight_testkit::front::Setup::new(&[origin.address], &[]);
    setup.settings().response_timeout = Duration::from_millis(200);
    setup.limits.body_stall_timeout = Duration::from_millis(200);
    setup.settings().tunnel_idle_timeout = Duration::from_millis(900);
    let front = setup.start();
    let mut peer = connect(&front);
    let (response, _send) = peer.send(extended("websocket"), false);
    let begin = greenlight::clock::instant();
    let mut body = peer.wait(response).unwrap().into_body();
    let error = peer.wait(body.data()).unwrap().unwrap_err();
    assert!(error.is_reset(), "{error:?}");
    let took = begin.elapsed();
    assert!(took > Duration::from_millis(850) && took < Duration::from_secs(3), "{took:?}");
}
