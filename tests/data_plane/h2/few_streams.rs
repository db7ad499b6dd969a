//! Origins that take few streams at once (SETTINGS_MAX_CONCURRENT_STREAMS, RFC 9113, 5.1.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::server::Builder;
use http::{HeaderValue, Request, Response};

use super::upstream::setup;
use greenlight_testkit::flow::{rest, send_all};
use greenlight_testkit::h2_origin::{Ask, H2Origin};
use greenlight_testkit::peer::{Peer, request, whole};
use greenlight_testkit::setting::setting;

/// The requests that a client sends at once, and how often it does so.
const AT_ONCE: u32 = 60;
const ROUNDS: usize = 20;

/// The kinds of requests.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Get,
    Post,
    Call,
}

/// Echoes the body, and shows that never more streams than `most` are open on one connection.
async fn counted(ask: Ask, most: usize, open: Arc<[AtomicUsize]>) {
    let count = &open[ask.connection];
    assert!(count.fetch_add(1, Ordering::SeqCst) < most, "too many streams");
    let Ask { request, mut respond, .. } = ask;
    let mut body = request.into_body();
    let bytes = rest(&mut body).await.unwrap_or_default();
    let mut send = respond.send_response(Response::new(()), false).unwrap();
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    let _ = send_all(&mut send, Bytes::copy_from_slice(head), false).await;
    count.fetch_sub(1, Ordering::SeqCst);
    let _ = send.send_data(Bytes::copy_from_slice(tail), true);
}

fn asked(kind: Kind) -> Request<()> {
    let mut asked = request(if matches!(kind, Kind::Get) { "GET" } else { "POST" }, "/");
    if matches!(kind, Kind::Call) {
        asked.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        asked.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    }
    asked
}

/// Sends all requests at once, and waits for the answers. Each body comes back.
fn all_are_served(peer: &mut Peer, kinds: &[Kind]) {
    let sent: Vec<_> = (0..AT_ONCE)
        .map(|number| {
            let kind = kinds[number as usize % kinds.len()];
            let (response, mut send) = peer.send(asked(kind), matches!(kind, Kind::Get));
            let body = match kind {
                Kind::Get => Vec::new(),
                Kind::Post => vec![7; 20_000],
                Kind::Call => vec![0; 300],
            };
            let data = Bytes::from(body.clone());
            if !body.is_empty() {
                peer.runtime.spawn(async move { send_all(&mut send, data, true).await });
            }
            (number, body, peer.runtime.spawn(whole(response)))
        })
        .collect();
    for (number, body, answer) in sent {
        let answer = peer.wait(answer).unwrap().unwrap_or_else(|why| panic!("request {number}: {why}"));
        assert_eq!(answer.status, 200, "request {number}: {}", answer.text());
        assert!(answer.body == body, "request {number}");
    }
}

fn rounds(most: u32, kinds: &[Kind]) {
    let open: Arc<[AtomicUsize]> = (0..5000).map(|_| AtomicUsize::new(0)).collect();
    let origin = H2Origin::start_as(Builder::new().max_concurrent_streams(most), move |ask| {
        Box::pin(counted(ask, most as usize, Arc::clone(&open)))
    });
    let front = setup(origin.address).start();
    let mut peer = Peer::connect(front.address);
    for _ in 0..setting("GREENLIGHT_H2_ROUNDS", ROUNDS) {
        all_are_served(&mut peer, kinds);
    }
}

#[test]
fn uploads_are_served_at_a_limit_of_one_stream() {
    rounds(1, &[Kind::Post]);
}

#[test]
fn requests_of_all_kinds_are_served_at_small_limits() {
    for most in [1, 2, 7] {
        rounds(most, &[Kind::Post, Kind::Get, Kind::Call, Kind::Post]);
    }
}
