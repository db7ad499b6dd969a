//! Origins that speak HTTP/2 over TLS, by ALPN.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use greenlight::model::Color;
use h2::ext::Protocol;
use h2::server::Builder;
use http::{Request, Response};
use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::upstream::setup;
use greenlight_testkit::certs::{Authority, Files, Issued};
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::flow::{rest, send_all};
use greenlight_testkit::front::{Front, HOST, endpoints};
use greenlight_testkit::h2_origin::{Ask, End, H2Origin, Secured, Served, Socket, text};
use greenlight_testkit::peer::{Peer, request};

const NAME: &str = "origin.internal";

/// Offers HTTP/2 and HTTP/1.1.
fn secured(issued: &Issued) -> Secured {
    let mut config = issued.served();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Secured { config: Arc::new(config), old: |socket| Box::pin(echoing_tunnel(socket)) }
}

/// Over HTTP/1.1: grants a WebSocket, and sends back what comes.
async fn echoing_tunnel(mut socket: Box<dyn Socket>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(byte);
    }
    let granted = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let _ = socket.write_all(granted.as_bytes()).await;
    let mut bytes = [0; 100];
    while let Ok(count @ 1..) = socket.read(&mut bytes).await {
        let _ = socket.write_all(&bytes[..count]).await;
        let _ = socket.flush().await;
    }
}

fn origin_of(issued: &Issued, script: impl Fn(Ask) -> Served + Send + Sync + 'static) -> H2Origin {
    H2Origin::start_on(&Builder::new(), Some(secured(issued)), script)
}

/// A front door, and an origin that it trusts.
fn pair(script: impl Fn(Ask) -> Served + Send + Sync + 'static) -> (Front, H2Origin, Files) {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let origin = origin_of(&files.authority.issue(&[NAME]), script);
    (setup(&[origin.address], files.path("ca.pem")).start(), origin, files)
}

/// Loses the connection. The stream stays as it is: a reset of its own would come first.
async fn lose(ask: Ask) {
    ask.end.send(End::Drop).await.unwrap();
    std::future::pending::<()>().await;
    drop(ask);
}

fn post(front: &Front) -> (u16, String) {
    let mut client = front.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 4\r\n\r\nonce"));
    let response = client.response();
    (response.status, response.text())
}

#[test]
fn both_protocols_share_one_connection_that_alpn_has_agreed_on() {
    let (front, origin, _files) = pair(|ask| Box::pin(text(ask, "two")));
    let mut client = front.client();
    for _ in 0..3 {
        assert_eq!(client.get(HOST, "/a?b").text(), "two");
    }
    let mut peer = Peer::connect(front.address);
    assert_eq!(peer.get("/c").text(), "two");
    assert_eq!(post(&front), (200, "two".to_owned()));
    assert_eq!(origin.connections(), 1);
    let agreed = origin.agreed().remove(0);
    assert_eq!(
        (agreed.name.as_deref(), agreed.protocol.as_deref()),
        (Some(NAME), Some("h2")),
        "SNI and ALPN"
    );
    let heads = origin.heads();
    assert_eq!(
        heads[0].uri(),
        "https://app.test/a?b",
        "the client's host, and the scheme of this connection"
    );
    assert_eq!(heads[0].headers().get("x-forwarded-proto").unwrap(), "http");
    assert_eq!(front.evidence(Color::Blue), (5, 0));
}

#[test]
fn an_origin_that_is_not_the_one_is_never_asked() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let wrong_name =
        origin_of(&files.authority.issue(&["other.internal"]), |ask| Box::pin(text(ask, "wrong")));
    let wrong_ca = origin_of(&Authority::new().issue(&[NAME]), |ask| Box::pin(text(ask, "wrong")));
    let expired = origin_of(&files.authority.issue_expired(&[NAME]), |ask| Box::pin(text(ask, "wrong")));
    let right = origin_of(&files.authority.issue(&[NAME]), |ask| Box::pin(text(ask, "right")));
    for origin in [&wrong_name, &wrong_ca, &expired] {
        let mut front = setup(&[origin.address], files.path("ca.pem")).start();
        assert_eq!(front.client().get(HOST, "/").status, 502);
        assert_eq!(Peer::connect(front.address).get("/").status, 502);
        assert_eq!(front.evidence(Color::Blue), (2, 2));
        assert!(front.suspected.try_recv().is_ok(), "the prober is told");
        // Nothing was sent, so even a POST goes to another endpoint.
        let both = endpoints(Color::Blue, &[origin.address, right.address]);
        front.change(|service| service.colors.blue = both);
        for _ in 0..8 {
            assert_eq!(post(&front), (200, "right".to_owned()));
        }
        assert_eq!((origin.heads().len(), origin.agreed().len()), (0, 0));
    }
}

#[test]
fn a_connection_that_is_lost_costs_what_was_on_it_and_is_replaced() {
    // The first request of a connection is answered; the second loses it after half of its answer.
    let (front, origin, _files) = pair(|mut ask| {
        Box::pin(async move {
            if ask.request.uri().path() == "/whole" {
                return text(ask, "whole").await;
            }
            let mut send = ask.respond.send_response(Response::new(()), false).unwrap();
            send_all(&mut send, Bytes::from_static(b"half"), false).await.unwrap();
            // The half is on its way by then: the client answers it with the end of its request.
            let _ = rest(ask.request.body_mut()).await;
            lose(ask).await;
        })
    });
    for round in 1..=3 {
        let mut client = front.client();
        assert_eq!(client.get(HOST, "/whole").text(), "whole");
        client.send(format!("POST /half HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"));
        assert!(client.take_head().unwrap().contains("200 OK"));
        assert_eq!(client.take(9).unwrap(), b"4\r\nhalf\r\n");
        client.send("0\r\n\r\n");
        client.expect_end();
        assert_eq!(origin.connections(), round);
        assert_eq!(front.evidence(Color::Blue), (2, 1));
    }
    let mut peer = Peer::connect(front.address);
    let (response, mut send) = peer.send(request("POST", "/half"), false);
    let mut body = peer.wait(response).unwrap().into_body();
    assert_eq!(peer.wait(body.data()).unwrap().unwrap(), "half");
    send.send_data(Bytes::new(), true).unwrap();
    assert!(peer.wait(rest(&mut body)).unwrap_err().is_reset(), "the stream alone");
    assert_eq!(peer.get("/whole").text(), "whole");
    let kinds: Vec<_> = origin.agreed().into_iter().map(|agreed| agreed.kind).collect();
    assert_eq!(kinds[0], HandshakeKind::Full);
    assert!(kinds[1..].iter().all(|kind| *kind == HandshakeKind::Resumed), "{kinds:?}");
}

#[test]
fn what_is_lost_before_an_answer_is_asked_once_more_if_it_is_a_get_and_never_if_it_is_a_post() {
    let (front, origin, _files) = pair(|mut ask| {
        Box::pin(async move {
            if ask.request.headers().contains_key("x-last") {
                let _ = rest(ask.request.body_mut()).await;
                return lose(ask).await;
            }
            text(ask, "ok").await;
        })
    });
    let mut peer = Peer::connect(front.address);
    assert_eq!(peer.get("/").text(), "ok");
    let mut last = request("POST", "/last");
    last.headers_mut().insert("x-last", "1".parse().unwrap());
    assert_eq!(peer.post(last, "once").unwrap().status, 502);
    assert_eq!(peer.get("/").text(), "ok");
    let mut last = request("GET", "/last");
    last.headers_mut().insert("x-last", "1".parse().unwrap());
    assert_eq!(peer.ask(last).unwrap().status, 502, "lost twice: once in its replay");
    let heads = origin.heads();
    let seen = |method: &str| {
        heads.iter().filter(|head| head.uri().path() == "/last" && head.method() == method).count()
    };
    assert_eq!((seen("POST"), seen("GET")), (1, 2), "{heads:?}");
    assert_eq!(peer.get("/").text(), "ok");
}

#[test]
fn a_goaway_lets_what_has_begun_end_and_sends_the_rest_elsewhere() {
    let (told, heard) = sync_channel(4);
    let (release, gate) = tokio::sync::watch::channel(false);
    let (front, origin, _files) = pair(move |ask| {
        let (told, mut gate) = (told.clone(), gate.clone());
        Box::pin(async move {
            if ask.request.uri().path() == "/held" {
                ask.end.send(End::Goaway).await.unwrap();
                told.send(()).unwrap();
                let _ = gate.wait_for(|open| *open).await;
            }
            text(ask, "done").await;
        })
    });
    let mut peer = Peer::connect(front.address);
    let (held, _) = peer.send(request("GET", "/held"), true);
    heard.recv_timeout(PATIENCE).unwrap();
    // Until the GOAWAY is there they still go to the first connection; none is lost between the two.
    let begun = greenlight::clock::instant();
    while origin.connections() < 2 {
        assert!(begun.elapsed() < PATIENCE, "all still go to the first connection");
        assert_eq!(peer.post(request("POST", "/next"), "once").unwrap().text(), "done");
    }
    assert_eq!(post(&front), (200, "done".to_owned()));
    release.send(true).unwrap();
    assert_eq!(peer.answer(held).unwrap().text(), "done");
    assert_eq!(front.evidence(Color::Blue).1, 0, "nobody has failed");
}

#[test]
fn a_tunnel_that_is_not_taken_in_http2_gets_a_connection_of_http1() {
    let (front, origin, _files) = pair(|ask| Box::pin(text(ask, "plain")));
    let mut peer = Peer::connect(front.address);
    // With a connection of HTTP/2 there already, and without one.
    for known in [false, true] {
        let mut asked =
            Request::builder().method("CONNECT").uri(format!("http://{HOST}/chat")).body(()).unwrap();
        asked.extensions_mut().insert(Protocol::from_static("websocket"));
        assert_eq!(peer.get("/").text(), "plain");
        let (response, mut send) = peer.send(asked, false);
        let response = peer.wait(response).unwrap();
        assert_eq!(response.status(), 200, "{known}");
        send.send_data(Bytes::from_static(b"ping"), false).unwrap();
        let mut body = response.into_body();
        assert_eq!(peer.wait(body.data()).unwrap().unwrap(), "ping");
    }
    let mut client = front.client();
    client.send(format!(
        "GET /chat HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    ));
    assert!(client.take_head().unwrap().starts_with("HTTP/1.1 101"));
    client.send("pong");
    assert_eq!(client.take(4).unwrap(), b"pong");
    let agreed = origin.agreed();
    let old = agreed.iter().filter(|agreed| agreed.protocol.as_deref() == Some("http/1.1")).count();
    assert_eq!((old, agreed.len()), (3, 4));
}
