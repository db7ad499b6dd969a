//! WebSocket over HTTP/2 (RFC 8441), between all pairs of protocols.

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
use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::h2_origin::{H2Origin, echo, text};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::peer::{Peer, request};

fn extended(protocol: &str) -> Request<()> {
    let mut asked = request("CONNECT", "/chat");
    asked.extensions_mut().insert(Protocol::from(protocol));
    asked.headers_mut().insert("sec-websocket-version", HeaderValue::from_static("13"));
    asked.headers_mut().insert("origin", HeaderValue::from_static("http://app.test"));
    asked
}

/// Waits until the front door has said that it takes tunnels.
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

/// An origin of HTTP/1.1 that accepts and echoes.
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
fn what_is_no_protocol_is_malformed() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = connect(&front);
    for protocol in ["", "web socket", "websocket\r\nx-injected: 1\r\nTransfer-Encoding: chunked"] {
        let (response, _send) = peer.send(extended(protocol), false);
        let error = peer.answer(response).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR), "{protocol:?}");
    }
    // It counts for the limit of the head as any other word of the client's.
    let (response, _send) = peer.send(extended(&"a".repeat(33 * 1024)), false);
    assert_eq!(peer.answer(response).unwrap().status, 431);
    assert_eq!(origin.heads(), Vec::<String>::new());
}

/// To the client any 2xx would be an open tunnel (RFC 8441, 5).
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

    // A client of HTTP/1.1: the key is the one of RFC 6455, 1.3, and so is its proof.
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

#[test]
fn an_origin_without_tunnels_is_502() {
    let origin = H2Origin::start(|ask| Box::pin(text(ask, "x")));
    let mut front = setup(origin.address).start();
    let mut client = front.client();
    // More than would take an endpoint out of the pool, if it were the endpoint's failure.
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
