//! Origins that speak HTTP/2. Their clients speak HTTP/1.1 and HTTP/2.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use bytes::Bytes;
use greenlight::model::Color;
use greenlight::routing::Protocol;
use h2::Reason;
use h2::server::Builder;
use http::{HeaderValue, Request, Response};

use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::flow::{rest, send_all};
use greenlight_testkit::frames::{ACK, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, SETTINGS, frame};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::h2_origin::{Ask, End, H2Origin, grpc, text};
use greenlight_testkit::origin::{Link, Origin, with_length};
use greenlight_testkit::peer::{Peer, request};

/// A service whose one origin speaks HTTP/2 with prior knowledge.
pub(super) fn setup(origin: std::net::SocketAddr) -> Setup {
    let mut setup = Setup::new(&[origin], &[]);
    setup.settings().protocol = Protocol::H2c;
    setup
}

fn front(origin: &H2Origin) -> Front {
    setup(origin.address).start()
}

#[test]
fn both_protocols_reach_an_origin_of_http2() {
    let origin = H2Origin::start(|ask| Box::pin(text(ask, "two")));
    let front = front(&origin);
    let mut client = front.client();
    for _ in 0..3 {
        let answer = client.get(HOST, "/a?b");
        assert_eq!((answer.status, answer.text()), (200, "two".to_owned()));
    }
    let mut peer = Peer::connect(front.address);
    assert_eq!(peer.get("/c").text(), "two");
    assert_eq!(origin.connections(), 1, "all share one connection");
    let heads = origin.heads();
    assert_eq!(heads[0].uri(), "http://app.test/a?b");
    assert_eq!(heads[3].uri(), "http://app.test/c");
    for head in &heads {
        assert_eq!(head.headers().get("x-forwarded-for").unwrap(), "127.0.0.1");
        for gone in ["host", "connection", "te", "transfer-encoding"] {
            assert!(!head.headers().contains_key(gone), "{head:?}");
        }
    }
    assert_eq!(front.evidence(Color::Blue), (4, 0));
}

#[test]
fn bodies_pass_to_and_from_an_origin_of_http2() {
    let origin = H2Origin::echo();
    let front = front(&origin);
    let mut client = front.client();
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.response().text(), "hello");
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    assert_eq!(client.response().text(), "abcde");
    let heads = origin.heads();
    assert_eq!(heads[0].headers().get("content-length").unwrap(), "5");
    assert!(!heads[1].headers().contains_key("content-length"));

    // This body is larger than all windows on the way, and it passes in both directions at the same time.
    let sent: Bytes =
        (0..4_000_001_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0]).collect();
    let mut peer = Peer::connect(front.address);
    let (response, mut send) = peer.send(request("POST", "/"), false);
    let data = sent.clone();
    let upload = peer.runtime.spawn(async move { send_all(&mut send, data, true).await });
    let answer = peer.answer(response).unwrap();
    peer.wait(upload).unwrap().unwrap();
    assert!(answer.body == sent);
}

#[test]
fn interim_heads_of_an_origin_of_http2_pass() {
    let origin = H2Origin::start(|mut ask| {
        Box::pin(async move {
            let early = Response::builder().status(103).header("link", "</a>").body(()).unwrap();
            ask.respond.send_informational(early).unwrap();
            let resumable = Response::builder().status(104).header("upload-offset", "7").body(()).unwrap();
            ask.respond.send_informational(resumable).unwrap();
            text(ask, "done").await;
        })
    });
    let front = front(&origin);
    let mut client = front.client();
    client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    let early = client.response();
    assert_eq!((early.status, early.header("link")), (103, Some("</a>")));
    let resumable = client.response();
    assert_eq!((resumable.status, resumable.header("upload-offset")), (104, Some("7")));
    assert_eq!(client.response().text(), "done");
}

fn call() -> Request<()> {
    let mut asked = request("POST", "/pkg.Service/Call");
    for (name, value) in
        [("content-type", "application/grpc+proto"), ("te", "trailers"), ("grpc-timeout", "9S")]
    {
        asked.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    asked
}

#[test]
fn grpc_passes_and_its_status_is_evidence() {
    let origin = H2Origin::start(|ask: Ask| {
        let status = ["0", "5", "14", "2", "0"][ask.number];
        Box::pin(grpc(ask, status))
    });
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    let evidence = [(1, 0), (1, 0), (1, 1), (1, 1), (1, 0)];
    for (status, evidence) in ["0", "5", "14", "2", "0"].into_iter().zip(evidence) {
        let answer = peer.post(call(), vec![0, 0, 0, 0, 0]).unwrap();
        assert_eq!(answer.body.len(), 7);
        assert_eq!(answer.header("content-type"), Some("application/grpc"));
        assert_eq!(answer.trailers.unwrap().get("grpc-status").unwrap(), status);
        assert_eq!(front.evidence(Color::Blue), evidence, "grpc-status {status}");
    }
    for head in origin.heads() {
        assert_eq!(head.headers().get("te").unwrap(), "trailers");
        assert_eq!(head.headers().get("grpc-timeout").unwrap(), "9S");
    }
}

#[test]
fn an_answer_of_trailers_alone_stays_one() {
    let origin = H2Origin::start(|mut ask| {
        Box::pin(async move {
            let head = Response::builder()
                .header("content-type", "application/grpc")
                .header("grpc-status", "13")
                .body(())
                .unwrap();
            ask.respond.send_response(head, true).unwrap();
        })
    });
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    let (response, _send) = peer.send(call(), false);
    let (head, body) = peer.wait(response).unwrap().into_parts();
    assert_eq!(head.headers.get("grpc-status").unwrap(), "13");
    assert!(body.is_end_stream());
    assert_eq!(front.evidence(Color::Blue), (1, 1));
}

#[test]
fn messages_pass_while_the_call_goes_on() {
    let origin = H2Origin::echo();
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    let (response, mut send) = peer.send(call(), false);
    let mut body = None;
    let mut response = Some(response);
    for number in 0..20_u8 {
        send.send_data(Bytes::from(vec![0, 0, 0, 0, 1, number]), false).unwrap();
        let body = body.get_or_insert_with(|| peer.wait(response.take().unwrap()).unwrap().into_body());
        let mut came = Vec::new();
        while came.len() < 6 {
            let data = peer.wait(body.data()).unwrap().unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            came.extend_from_slice(&data);
        }
        assert_eq!(came, [0, 0, 0, 0, 1, number]);
    }
}

#[test]
fn a_cancelled_call_reaches_an_origin_of_http2_at_once() {
    let (told, heard) = sync_channel(4);
    let origin = H2Origin::start(move |mut ask| {
        let told = told.clone();
        Box::pin(async move {
            told.send("asked").unwrap();
            let mut send = ask.respond.send_response(Response::new(()), false).unwrap();
            let reason = std::future::poll_fn(|context| send.poll_reset(context)).await;
            assert_eq!(reason.unwrap(), Reason::CANCEL);
            told.send("gone").unwrap();
        })
    });
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    let (response, mut send) = peer.send(call(), false);
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("asked"));
    let _open = peer.wait(response).unwrap();
    let begin = greenlight::clock::instant();
    send.send_reset(Reason::CANCEL);
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("gone"));
    let took = begin.elapsed();
    assert!(took < Duration::from_millis(100), "{took:?}");
    // The reset of an HTTP/1.1 client reaches the origin in the same way.
    let mut client = front.client();
    client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("asked"));
    socket2::SockRef::from(&client.socket).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    assert_eq!(heard.recv_timeout(PATIENCE), Ok("gone"));
}

#[test]
fn trailers_pass_behind_a_length() {
    let (told, heard) = sync_channel(4);
    let origin = H2Origin::start(move |mut ask| {
        let told = told.clone();
        Box::pin(async move {
            assert_eq!(rest(ask.request.body_mut()).await.unwrap(), b"\0\0\0\0\0");
            told.send(ask.request.body_mut().trailers().await.unwrap()).unwrap();
            let head = Response::builder()
                .header("content-type", "application/grpc")
                .header("content-length", "2")
                .body(())
                .unwrap();
            let mut send = ask.respond.send_response(head, false).unwrap();
            send.send_data(Bytes::from_static(b"ok"), false).unwrap();
            send.send_trailers(
                [("grpc-status".parse().unwrap(), "14".parse().unwrap())].into_iter().collect(),
            )
            .unwrap();
        })
    });
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    let mut asked = call();
    asked.headers_mut().insert("content-length", HeaderValue::from_static("5"));
    let (response, mut send) = peer.send(asked, false);
    send.send_data(Bytes::from_static(&[0; 5]), false).unwrap();
    send.send_trailers([("x-checksum".parse().unwrap(), "1".parse().unwrap())].into_iter().collect())
        .unwrap();
    let answer = peer.answer(response).unwrap();
    assert_eq!(answer.text(), "ok");
    assert_eq!(answer.trailers.unwrap().get("grpc-status").unwrap(), "14");
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap().unwrap().get("x-checksum").unwrap(), "1");
    assert_eq!(front.evidence(Color::Blue), (1, 1), "UNAVAILABLE");
}

#[test]
fn a_stream_that_the_origin_resets_has_failed_and_is_not_sent_again() {
    let origin = H2Origin::start(|mut ask| {
        Box::pin(async move {
            if ask.number == 0 {
                text(ask, "first").await;
            } else {
                ask.respond.send_reset(Reason::INTERNAL_ERROR);
            }
        })
    });
    let front = front(&origin);
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").text(), "first");
    assert_eq!(client.get(HOST, "/").status, 502);
    assert_eq!(origin.heads().len(), 2);
    assert_eq!(front.evidence(Color::Blue), (2, 1));
}

#[test]
fn a_get_on_a_connection_that_is_lost_is_sent_again_on_a_fresh_one() {
    let origin = H2Origin::start(|ask| {
        Box::pin(async move {
            match ask.number {
                1 => {
                    ask.end.send(End::Drop).await.unwrap();
                    // The stream has to outlive the connection. Otherwise `h2` would reset the stream first,
                    // and a reset is an answer.
                    std::future::pending::<()>().await;
                }
                _ => text(ask, "here").await,
            }
        })
    });
    let front = front(&origin);
    let mut client = front.client();
    for _ in 0..2 {
        assert_eq!(client.get(HOST, "/").text(), "here");
    }
    assert_eq!((origin.connections(), origin.heads().len()), (2, 3));
    assert_eq!(front.evidence(Color::Blue), (2, 0));
}

#[test]
fn characters_that_are_illegal_in_a_uri_reach_an_http2_origin_encoded() {
    let origin = H2Origin::start(|ask| Box::pin(text(ask, "x")));
    let front = front(&origin);
    assert_eq!(front.client().get(HOST, "/a<b>?q=\"c\"").status, 200);
    assert_eq!(origin.heads()[0].uri(), "http://app.test/a%3Cb%3E?q=%22c%22");
    assert_eq!(front.evidence(Color::Blue), (1, 0));
}

#[test]
fn a_refused_stream_is_tried_again_whatever_the_method() {
    let origin = H2Origin::start(|mut ask| {
        Box::pin(async move {
            if ask.number == 0 {
                text(ask, "first").await;
            } else if ask.number % 2 == 1 {
                ask.respond.send_reset(Reason::REFUSED_STREAM);
            } else {
                text(ask, "second").await;
            }
        })
    });
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    assert_eq!(peer.get("/").text(), "first");
    assert_eq!(peer.post(request("POST", "/"), "once").unwrap().text(), "second");
    let mut client = front.client();
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nonce");
    assert_eq!(client.response().text(), "second");
    assert_eq!(front.evidence(Color::Blue), (3, 0), "nobody has failed");
}

/// Reads the frames of a connection up to the head of the first request. `None` if the connection ends
/// before.
pub(super) fn raw_until_asked(link: &mut Link) -> Option<()> {
    link.take(PREFACE.len())?;
    link.send(frame(SETTINGS, 0, 0, &[]));
    loop {
        let head = link.take(9)?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        link.take(length)?;
        if head[3] == SETTINGS && head[4] & ACK == 0 {
            link.send(frame(SETTINGS, ACK, 0, &[]));
        }
        if head[3] == HEADERS {
            return Some(());
        }
    }
}

#[test]
fn a_goaway_below_a_stream_is_tried_again() {
    let origin = Origin::start(|link| {
        if raw_until_asked(link).is_none() {
            return;
        }
        if link.number == 0 {
            // The origin answers the first request. When the head of the second one arrives, it sends a
            // GOAWAY.
            link.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x88]));
            loop {
                let Some(head) = link.take(9) else { return };
                let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
                link.take(length);
                if head[3] == HEADERS {
                    break;
                }
            }
            link.send(frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]));
            link.rest();
        } else {
            link.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x89]));
            link.rest();
        }
    });
    let front = setup(origin.address).start();
    let mut client = front.client();
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\n1");
    assert_eq!(client.response().status, 200);
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\n2");
    assert_eq!(client.response().status, 204);
    assert_eq!(origin.connections(), 2);
    assert_eq!(front.evidence(Color::Blue), (2, 0));
}

#[test]
fn more_requests_than_streams_open_more_connections() {
    let (release, gate) = tokio::sync::watch::channel(false);
    let origin = H2Origin::start_as(Builder::new().max_concurrent_streams(10), move |ask| {
        let mut gate = gate.clone();
        Box::pin(async move {
            let _ = gate.wait_for(|open| *open).await;
            text(ask, "done").await;
        })
    });
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    let responses: Vec<_> = (0..45).map(|_| peer.send(request("GET", "/"), true).0).collect();
    let begin = greenlight::clock::instant();
    while front.inflight(Color::Blue) < 45 || origin.connections() < 5 {
        assert!(begin.elapsed() < PATIENCE, "{} connections", origin.connections());
        std::thread::yield_now();
    }
    release.send(true).unwrap();
    for response in responses {
        assert_eq!(peer.answer(response).unwrap().text(), "done");
    }
    assert_eq!(origin.connections(), 5);
    assert_eq!(front.evidence(Color::Blue), (45, 0));
}

#[test]
fn a_response_reset_by_the_origin_ends_abnormally() {
    let origin = H2Origin::start(|mut ask| {
        Box::pin(async move {
            let mut send = ask.respond.send_response(Response::new(()), false).unwrap();
            send_all(&mut send, Bytes::from_static(b"half"), false).await.unwrap();
            // The reset would overtake the data. So the origin waits until the client, which has got the
            // half, ends its request.
            let _ = rest(ask.request.body_mut()).await;
            send.send_reset(Reason::INTERNAL_ERROR);
        })
    });
    let front = front(&origin);
    let mut peer = Peer::connect(front.address);
    let (response, mut send) = peer.send(request("POST", "/"), false);
    let mut body = peer.wait(response).unwrap().into_body();
    assert_eq!(peer.wait(body.data()).unwrap().unwrap(), "half");
    send.send_data(Bytes::new(), true).unwrap();
    assert!(peer.wait(rest(&mut body)).unwrap_err().is_reset());

    let mut client = front.client();
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert!(client.take_head().unwrap().contains("200 OK"));
    assert_eq!(client.take(9).unwrap(), b"4\r\nhalf\r\n");
    client.send("0\r\n\r\n");
    client.expect_end();
    assert_eq!(front.evidence(Color::Blue), (2, 2));
}

#[test]
fn an_origin_that_does_not_speak_http2_is_502() {
    let origin = Origin::start(|link| {
        link.take(PREFACE.len());
        link.send(with_length("HTTP/1.1 400 Bad Request\r\nConnection: close", b"what?"));
    });
    let front = setup(origin.address).start();
    assert_eq!(front.client().get(HOST, "/").status, 502);
    assert_eq!(front.evidence(Color::Blue), (1, 1));
}

#[test]
fn a_link_that_is_idle_for_too_long_is_closed() {
    let (told, heard) = sync_channel(4);
    let origin = Origin::start(move |link| {
        if raw_until_asked(link).is_some() {
            link.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x88]));
            link.rest();
            told.send(()).unwrap();
        }
    });
    for wait in [Duration::from_millis(300), Duration::ZERO] {
        let mut setup = setup(origin.address);
        setup.settings().pool_idle_timeout = wait;
        let front = setup.start();
        assert_eq!(front.client().get(HOST, "/").status, 200);
        heard.recv_timeout(PATIENCE).expect("it is closed");
    }
}

#[test]
fn an_origin_that_answers_no_ping_is_given_up() {
    let origin = Origin::start(|link| {
        raw_until_asked(link);
        link.rest();
    });
    let mut setup = setup(origin.address);
    setup.limits.h2_origin_ping_interval = Duration::from_millis(300);
    setup.limits.h2_ping_timeout = Duration::from_millis(300);
    let front = setup.start();
    let begin = greenlight::clock::instant();
    let mut client = front.client();
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\n1");
    assert_eq!(client.response().status, 502);
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}
