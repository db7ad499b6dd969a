//! Probes in HTTP/2. The other end is the `h2` crate, or bytes written by hand where that crate is
//! too well-behaved.

use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::sockets::{PATIENCE, accept, answer, failure, http, listen, next, start, target};
use crate::clock;
use crate::health::{Check, CheckKind, ProbeFailure, ProbeOutcome, Speech};

fn h2c(expect_body: Option<&str>) -> Check {
    Check { speech: Speech::H2c, ..http(expect_body) }
}

fn status(status: u16) -> Response<()> {
    Response::builder().status(status).body(()).unwrap()
}

/// Accepts the next connection and returns its first request.
async fn asked(
    listener: &TcpListener,
) -> (Connection<TcpStream, Bytes>, Request<h2::RecvStream>, SendResponse<Bytes>) {
    let round = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let (request, respond) = connection.accept().await.expect("a request").unwrap();
        (connection, request, respond)
    };
    tokio::time::timeout(PATIENCE, round).await.expect("a probe in time")
}

/// Moves a connection's frames until the probe has closed it.
async fn see_off(connection: &mut Connection<TcpStream, Bytes>) {
    let rest = async { while let Some(Ok(_)) = connection.accept().await {} };
    tokio::time::timeout(PATIENCE, rest).await.expect("an end in time");
}

/// Serves one probe with `script`.
async fn serve(listener: &TcpListener, script: impl FnOnce(SendResponse<Bytes>)) -> Request<h2::RecvStream> {
    let (mut connection, request, respond) = asked(listener).await;
    script(respond);
    see_off(&mut connection).await;
    request
}

/// Answers with 200 and a body in the given pieces.
fn pieces(mut respond: SendResponse<Bytes>, pieces: &[&'static str]) {
    let mut send = respond.send_response(status(200), false).unwrap();
    for piece in pieces {
        send.send_data(Bytes::from_static(piece.as_bytes()), false).unwrap();
    }
    send.send_data(Bytes::new(), true).unwrap();
}

#[tokio::test]
async fn it_asks_as_configured_on_a_fresh_connection_each_time() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, h2c(None))]);
    for _ in 0..3 {
        let request = serve(&listener, |mut respond| {
            respond.send_response(status(200), true).unwrap();
        })
        .await;
        assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
        assert_eq!(request.method(), "GET");
        assert_eq!(request.uri(), "http://backend.example.org/health?deep=1");
        let agent = request.headers()["user-agent"].to_str().unwrap();
        assert!(agent.starts_with("greenlight-probe/"), "{agent}");
        assert!(!request.headers().contains_key("host"), "{request:?}");
    }
}

#[tokio::test]
async fn each_way_to_fail_has_its_name() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, h2c(Some("ready")))]);
    for (number, location) in [(503, None), (302, Some("/elsewhere"))] {
        serve(&listener, |mut respond| {
            let mut answer = status(number);
            if let Some(location) = location {
                answer.headers_mut().insert("location", location.parse().unwrap());
            }
            respond.send_response(answer, true).unwrap();
        })
        .await;
        assert_eq!(failure(next(&mut reports).await), ProbeFailure::Status(number));
    }
    serve(&listener, |respond| pieces(respond, &["wait"])).await;
    assert_eq!(failure(next(&mut reports).await), ProbeFailure::Body);
    serve(&listener, |mut respond| respond.send_reset(Reason::INTERNAL_ERROR)).await;
    let reset = failure(next(&mut reports).await);
    assert_eq!(reset.to_string(), "the stream was reset: INTERNAL_ERROR");
    serve(&listener, |mut respond| {
        let mut send = respond.send_response(status(200), false).unwrap();
        send.send_reset(Reason::ENHANCE_YOUR_CALM);
    })
    .await;
    let reset = failure(next(&mut reports).await);
    assert_eq!(reset.to_string(), "the stream was reset: ENHANCE_YOUR_CALM");
    let (mut connection, _, _respond) = asked(&listener).await;
    connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
    see_off(&mut connection).await;
    let gone = failure(next(&mut reports).await);
    assert_eq!(gone.to_string(), "the endpoint ended the connection: ENHANCE_YOUR_CALM");
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_zero_linger().unwrap();
    drop(stream);
    assert_eq!(failure(next(&mut reports).await), ProbeFailure::Reset);
    serve(&listener, |respond| pieces(respond, &["I am re", "", "ady"])).await;
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
}

#[tokio::test]
async fn a_failure_names_the_protocol_that_an_endpoint_speaks_instead() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, h2c(None))]);
    // HTTP/2's preface looks like the head of an HTTP/1 request.
    let head = answer(&listener, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(head, "PRI * HTTP/2.0\r\n\r\n");
    let told = failure(next(&mut reports).await).to_string();
    assert_eq!(told, "not HTTP/2: it speaks HTTP/1, its answer begins with \"HTTP/1.1 400 Bad Request\"");
    answer(&listener, b"220 smtp.example.org ESMTP\r\n").await;
    let told = failure(next(&mut reports).await).to_string();
    assert_eq!(told, "not HTTP/2: its answer begins with \"220 smtp.example.org ESM\"");
    answer(&listener, b"").await;
    let told = failure(next(&mut reports).await);
    assert!(
        matches!(&told, ProbeFailure::Reset | ProbeFailure::NotHttp2(_)),
        "an end with bytes unread is a reset: {told}"
    );
    let (mut stream, _) = accept(&listener).await;
    stream.shutdown().await.unwrap();
    let told = failure(next(&mut reports).await).to_string();
    assert_eq!(told, "not HTTP/2: it closed the connection without an answer");
}

/// An empty SETTINGS frame, and a HEADERS frame with status 200 (RFC 7541 appendix A, index 8).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const HEAD: &[u8] = &[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88];

#[tokio::test]
async fn frames_that_break_the_rules_are_no_http2() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, h2c(Some("ready")))]);
    // These are DATA on stream 0, a length over the limit, DATA without a head, and an end inside
    // the body.
    let rows: [(&[u8], &str); 4] = [
        (&[0, 0, 1, 0, 0, 0, 0, 0, 0, b'a'], "its answer is a PROTOCOL_ERROR"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 1], "its answer is a FRAME_SIZE_ERROR"),
        (&[0, 0, 1, 0, 0, 0, 0, 0, 1, b'a'], "its answer is a PROTOCOL_ERROR"),
        (HEAD, "it closed the connection inside its answer"),
    ];
    for (frame, why) in rows {
        let (mut stream, _) = accept(&listener).await;
        stream.write_all(&[SETTINGS, frame].concat()).await.unwrap();
        stream.shutdown().await.unwrap();
        let told = failure(next(&mut reports).await).to_string();
        assert_eq!(told, format!("not HTTP/2: {why}"));
    }
    // The answer comes before the SETTINGS.
    let (mut stream, _) = accept(&listener).await;
    stream.write_all(&[HEAD, SETTINGS].concat()).await.unwrap();
    let told = failure(next(&mut reports).await).to_string();
    assert!(told.starts_with("not HTTP/2: its answer begins with \"\\x00\\x00\\x01\\x01"), "{told}");
}

#[tokio::test]
async fn silence_is_a_timeout_within_its_limit() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    let timeout = Duration::from_millis(80);
    let before = clock::instant();
    prober.set_targets(vec![target(address, Check { timeout, ..h2c(Some("ready")) })]);
    // The endpoint falls silent before its SETTINGS, after them, and inside the body.
    for (silent, begun) in (1..).zip([&[][..], SETTINGS, &[SETTINGS, HEAD].concat()]) {
        let (mut stream, _) = accept(&listener).await;
        stream.write_all(begun).await.unwrap();
        assert_eq!(failure(next(&mut reports).await), ProbeFailure::Timeout);
        assert!(before.elapsed() >= timeout * silent, "{silent} after {:?}", before.elapsed());
    }
}

#[tokio::test]
async fn it_leaves_in_good_order() {
    const PREFACE_REST: &[u8] = b"SM\r\n\r\n";
    const CANCEL: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8];
    const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, h2c(None))]);
    // The first answer is complete. The second one goes on after its head.
    let over = [0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88];
    for (head, goodbye) in [(over.as_slice(), GOAWAY.to_vec()), (HEAD, [CANCEL, GOAWAY].concat())] {
        let (mut stream, _) = accept(&listener).await;
        stream.write_all(&[SETTINGS, head].concat()).await.unwrap();
        assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
        let mut sent = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut sent)).await.expect("an end").unwrap();
        assert!(sent.starts_with(PREFACE_REST) && sent.ends_with(&goodbye), "{sent:?}");
    }
}

#[tokio::test]
async fn sixty_four_kib_of_a_body_are_looked_at() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, h2c(Some("ready")))]);
    for (before, outcome) in [
        ((64 << 10) - 5, ProbeOutcome::Pass),
        ((64 << 10) - 4, ProbeOutcome::Fail(ProbeFailure::Body)),
        (10 << 20, ProbeOutcome::Fail(ProbeFailure::Body)),
    ] {
        serve(&listener, |mut respond| {
            let mut send = respond.send_response(status(200), false).unwrap();
            // Data that exceeds the windows waits here.
            send.send_data(Bytes::from([vec![b'x'; before], b"ready".to_vec()].concat()), true).unwrap();
        })
        .await;
        assert_eq!(next(&mut reports).await.outcome, outcome, "{before}");
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over_up_to_a_limit() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, h2c(None))]);
    for interim in [16, 17] {
        serve(&listener, |mut respond| {
            for _ in 0..interim {
                respond.send_informational(status(103)).unwrap();
            }
            respond.send_response(status(200), true).unwrap();
        })
        .await;
        let outcome = next(&mut reports).await.outcome;
        let too_many = ProbeFailure::NotHttp2("more than 16 interim answers".into());
        let expected = if interim == 16 { ProbeOutcome::Pass } else { ProbeOutcome::Fail(too_many) };
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn without_a_host_the_address_is_asked() {
    for speech in [Speech::Http1, Speech::H2c] {
        let (listener, address) = listen().await;
        let (prober, mut reports) = start();
        let kind = CheckKind::Http {
            path: "/".into(),
            host: String::new(),
            expect_status: vec![200],
            expect_body: None,
        };
        prober.set_targets(vec![target(address, Check { kind, speech: speech.clone(), ..http(None) })]);
        if speech == Speech::Http1 {
            let head = answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
            assert!(head.contains(&format!("\r\nHost: {address}\r\n")), "{head}");
        } else {
            let request = serve(&listener, |mut respond| {
                respond.send_response(status(200), true).unwrap();
            })
            .await;
            assert_eq!(request.uri().authority().unwrap().as_str(), address.to_string());
        }
        assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
    }
}
