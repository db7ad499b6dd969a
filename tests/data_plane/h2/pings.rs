//! Pings to clients and to origins (RFC 9113, 6.7). Servers of gRPC end connections that ping too often
//! (gRFC A8).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::upstream::{raw_until_asked, setup};
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, Raw, frame, get,
};
use greenlight_testkit::front::HOST;
use greenlight_testkit::origin::{Link, Origin};

const SOON: Duration = Duration::from_millis(200);
const ENHANCE_YOUR_CALM: u32 = 11;

/// Reads the next frame's kind and flags.
fn next(link: &mut Link) -> Option<(u8, u8)> {
    let head = link.take(9)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    link.take(length)?;
    Some((head[3], head[4]))
}

/// Waits for pings of the door on a client's connection, without answering the last one.
fn pinged(raw: &mut Raw, times: usize) {
    for _ in 0..times {
        let ping = raw.until(|frame| frame.kind == PING && frame.flags & ACK == 0).expect("a ping");
        raw.send(&frame(PING, ACK, 0, &ping.payload));
    }
}

/// An origin that answers the head of a call at once and ends the call when the receiver has a value.
/// It counts the pings, and answers them.
fn quiet(end: Receiver<()>) -> (Origin, Arc<AtomicUsize>) {
    let pings = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&pings);
    let end = Mutex::new(end);
    let origin = Origin::start(move |link| {
        if raw_until_asked(link).is_none() {
            return;
        }
        link.send(frame(HEADERS, END_HEADERS, 1, &[0x88]));
        link.socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let mut bytes = [0; 4096];
        loop {
            if end.lock().unwrap().try_recv().is_ok() {
                link.send(frame(DATA, END_STREAM, 1, b"end"));
            }
            match std::io::Read::read(&mut link.socket, &mut bytes) {
                Ok(0) => return,
                Ok(count) => {
                    let is_ping = |at: usize| {
                        bytes[at..count].starts_with(&[0, 0, 8, PING, 0, 0, 0, 0, 0]) && at + 17 <= count
                    };
                    for at in (0..count).filter(|at| is_ping(*at)) {
                        counted.fetch_add(1, Ordering::SeqCst);
                        link.send(frame(PING, ACK, 0, &bytes[at + 9..at + 17]));
                    }
                }
                Err(_) => {}
            }
        }
    });
    (origin, pings)
}

#[test]
fn a_quiet_call_gets_no_pings_at_its_origin() {
    let (_end, ends) = sync_channel(1);
    let (origin, pings) = quiet(ends);
    let mut setup = setup(origin.address);
    setup.limits.h2_ping_interval = SOON;
    let front = setup.start();
    let mut raw = Raw::connect(front.address);
    raw.send(&frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &get("/", &[("content-type", "application/grpc")]),
    ));
    raw.until(|frame| frame.kind == HEADERS).expect("the head");
    // The client is pinged, and the origin is not.
    pinged(&mut raw, 3);
    assert_eq!(pings.load(Ordering::SeqCst), 0);
}

#[test]
fn an_origin_is_pinged_only_while_it_has_requests() {
    let (end, ends) = sync_channel(1);
    let (origin, pings) = quiet(ends);
    let mut setup = setup(origin.address);
    setup.limits.h2_origin_ping_interval = SOON;
    setup.limits.h2_ping_interval = SOON;
    let front = setup.start();
    let mut raw = Raw::connect(front.address);
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &get("/", &[])));
    let begin = greenlight::clock::instant();
    while pings.load(Ordering::SeqCst) < 2 {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    end.send(()).unwrap();
    while let Some(came) = raw.next_frame() {
        match came.kind {
            DATA => break,
            PING if came.flags & ACK == 0 => raw.send(&frame(PING, ACK, 0, &came.payload)),
            _ => {}
        }
    }
    pinged(&mut raw, 1);
    let before = pings.load(Ordering::SeqCst);
    pinged(&mut raw, 4);
    assert_eq!(pings.load(Ordering::SeqCst), before, "the connection has no request");
}

#[test]
fn an_origin_that_is_pinged_too_often_is_pinged_half_as_often() {
    let (told, heard) = sync_channel(8);
    let origin = Origin::start(move |link| {
        if raw_until_asked(link).is_none() {
            return;
        }
        let begin = greenlight::clock::instant();
        while let Some((kind, flags)) = next(link) {
            if kind == PING && flags & ACK == 0 {
                told.send(begin.elapsed()).unwrap();
                let code = [0_u32.to_be_bytes(), ENHANCE_YOUR_CALM.to_be_bytes()].concat();
                link.send(frame(GOAWAY, 0, 0, &[&code[..], b"too_many_pings"].concat()));
                return;
            }
        }
    });
    let mut setup = setup(origin.address);
    setup.limits.h2_origin_ping_interval = SOON;
    let front = setup.start();
    for times in [1, 2, 4] {
        let mut client = front.client();
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        let after = heard.recv_timeout(PATIENCE).unwrap();
        // The origin begins to count a moment after the door does.
        assert!(after + SOON / 2 > SOON * times, "{after:?} after {times} times {SOON:?}");
        drop(client);
    }
}

#[test]
fn a_client_is_not_pinged_if_the_interval_is_zero() {
    let (_end, ends) = sync_channel(1);
    let (origin, _) = quiet(ends);
    let mut setup = setup(origin.address);
    setup.limits.h2_ping_interval = Duration::ZERO;
    setup.limits.h2_ping_timeout = SOON;
    setup.limits.keep_alive_timeout = SOON * 3;
    let front = setup.start();
    let mut raw = Raw::connect(front.address);
    loop {
        let frame = raw.next_frame().expect("a GOAWAY first");
        assert!(frame.kind != PING || frame.flags & ACK != 0, "{frame:?}");
        if frame.kind == GOAWAY {
            break;
        }
    }
}

#[test]
fn an_origin_that_is_gone_without_a_word_gets_no_second_request_on_its_connection() {
    let origin = Origin::start(|link| {
        raw_until_asked(link);
        // The origin reads, and says nothing more.
        if link.number == 0 {
            link.rest();
        } else {
            link.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x89]));
            link.rest();
        }
    });
    let mut setup = setup(origin.address);
    setup.settings().response_timeout = SOON * 2;
    setup.limits.h2_ping_timeout = SOON;
    let front = setup.start();
    assert_eq!(front.client().get(HOST, "/").status, 504);
    assert_eq!(front.client().get(HOST, "/").status, 204);
    assert_eq!(origin.connections(), 2);
}
