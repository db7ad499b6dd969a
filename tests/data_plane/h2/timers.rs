//! Every wait has its limit: nobody holds a connection or a stream by doing nothing.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::Builder;
use http::HeaderValue;

use greenlight_testkit::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, Raw, SETTINGS, frame, get,
};
use greenlight_testkit::front::{Front, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::peer::{Peer, request};

const LIMIT: Duration = Duration::from_millis(400);
/// The limit, and the second that it may take to notice.
const LIMIT_AND_MORE: Duration = Duration::from_millis(1400);

fn timed(begin: Instant) {
    let took = begin.elapsed();
    assert!(took + Duration::from_millis(5) >= LIMIT && took <= LIMIT_AND_MORE, "{took:?}");
}

fn front(origin: &Origin, set: impl FnOnce(&mut Setup)) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    set(&mut setup);
    setup.start()
}

#[test]
fn silence_and_half_a_preface_are_closed_without_a_word() {
    let origin = Origin::naming("x");
    let front = front(&origin, |setup| setup.limits.detection_timeout = LIMIT);
    for sent in [0, 1, 3, 10] {
        let begin = greenlight::clock::instant();
        let mut raw = Raw::silent(front.address);
        raw.send(&PREFACE[..sent]);
        assert_eq!(raw.next_frame(), None, "{sent} bytes");
        timed(begin);
    }
    // Enough to know what is spoken: our settings are there, and nothing else.
    for sent in [14, 23] {
        let begin = greenlight::clock::instant();
        let mut raw = Raw::silent(front.address);
        raw.send(&PREFACE[..sent]);
        assert_eq!(raw.next_frame().map(|frame| frame.kind), Some(SETTINGS));
        assert_eq!(raw.next_frame(), None, "{sent} bytes");
        timed(begin);
    }
}

#[test]
fn a_head_that_does_not_end_ends_its_connection() {
    let origin = Origin::naming("x");
    let front = front(&origin, |setup| setup.limits.request_head_timeout = LIMIT);
    let head = get("/", &[]);
    let whole = frame(HEADERS, END_STREAM, 3, &head);
    let rest_in_continuation = frame(HEADERS, END_STREAM, 3, &head[..4]);
    for begun in [&whole, &rest_in_continuation, &whole[..20].to_vec()] {
        let mut raw = Raw::connect(front.address);
        // Another stream is served before: the time is the head's own.
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &head));
        raw.until(|frame| frame.flags & END_STREAM != 0).unwrap();
        let begin = greenlight::clock::instant();
        raw.send(begun);
        assert_eq!(raw.end(), Some(11), "GOAWAY with ENHANCE_YOUR_CALM");
        timed(begin);
    }
    // Byte by byte is no faster; whole heads, one after the other, are no slow head.
    let mut raw = Raw::connect(front.address);
    let begin = greenlight::clock::instant();
    raw.send(&frame(HEADERS, END_STREAM, 1, &head));
    let mut slow = raw.try_clone();
    let sent = std::thread::spawn(move || {
        // Not so many that they are a flood.
        for _ in 0..4 {
            std::thread::sleep(LIMIT / 4);
            slow.flood(&frame(CONTINUATION, 0, 1, &[]));
        }
    });
    assert_eq!(raw.end(), Some(11));
    timed(begin);
    sent.join().unwrap();
    let mut peer = Peer::connect(front.address);
    let begin = greenlight::clock::instant();
    while begin.elapsed() < LIMIT * 3 {
        assert_eq!(peer.get("/").text(), "x");
    }
}

#[test]
fn an_idle_connection_is_closed() {
    let origin = Origin::naming("x");
    let front = front(&origin, |setup| setup.limits.keep_alive_timeout = LIMIT);
    let begin = greenlight::clock::instant();
    let mut raw = Raw::connect(front.address);
    assert_eq!(raw.end(), Some(0), "GOAWAY with NO_ERROR");
    timed(begin);
    // The time counts from the last stream's end.
    let mut peer = Peer::connect(front.address);
    let begin = greenlight::clock::instant();
    while begin.elapsed() < LIMIT * 2 {
        assert_eq!(peer.get("/").text(), "x");
    }
    let begin = greenlight::clock::instant();
    let driver = std::mem::replace(&mut peer.driver, peer.runtime.spawn(async { Ok(()) }));
    peer.wait(driver).unwrap().unwrap();
    timed(begin);
}

#[test]
fn a_client_that_answers_no_ping_is_gone() {
    let origin = Origin::start(|link| {
        link.head();
        link.rest();
    });
    let front = front(&origin, |setup| {
        setup.limits.h2_ping_interval = LIMIT;
        setup.limits.h2_ping_timeout = LIMIT;
    });
    let mut raw = Raw::connect(front.address);
    raw.send(&frame(HEADERS, END_HEADERS | 1, 1, &get("/", &[])));
    let begin = greenlight::clock::instant();
    assert!(raw.until(|frame| frame.kind == PING && frame.flags == 0).is_some());
    timed(begin);
    let begin = greenlight::clock::instant();
    assert_eq!(raw.end(), None);
    timed(begin);
    // One that does answer stays.
    let mut peer = Peer::connect(front.address);
    let (_response, _send) = peer.send(request("GET", "/"), true);
    let ended = peer.runtime.block_on(async { tokio::time::timeout(LIMIT * 5, &mut peer.driver).await });
    assert!(ended.is_err(), "{ended:?}");
}

#[test]
fn a_body_that_stands_still_is_408_on_its_stream() {
    let origin = Origin::start(|link| {
        link.head();
        link.rest();
    });
    let front = front(&origin, |setup| setup.limits.body_stall_timeout = LIMIT);
    let mut peer = Peer::connect(front.address);
    let begin = greenlight::clock::instant();
    let (response, mut send) = peer.send(request("POST", "/"), false);
    send.send_data(Bytes::from_static(b"some"), false).unwrap();
    assert_eq!(peer.answer(response).unwrap().status, 408);
    timed(begin);
    assert!(!peer.driver.is_finished());
    // A call of gRPC may be silent: its stream's own limit holds.
    let mut call = request("POST", "/");
    call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let (response, _send) = peer.send(call, false);
    let ended = peer.runtime.block_on(async { tokio::time::timeout(LIMIT * 3, response).await });
    assert!(ended.is_err(), "{ended:?}");
}

#[test]
fn a_client_that_opens_no_window_loses_its_stream() {
    let (told, heard) = std::sync::mpsc::sync_channel(1);
    let origin = Origin::start(move |link| {
        if link.head().is_some() {
            link.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
            for _ in 0..1000 {
                link.send(vec![b'x'; 100_000]);
            }
            let _ = told.try_send(());
        }
    });
    let front = front(&origin, |setup| setup.limits.write_stall_timeout = LIMIT);
    let mut builder = Builder::new();
    builder.initial_window_size(1000);
    let mut peer = Peer::connect_as(front.address, &builder);
    let begin = greenlight::clock::instant();
    let (response, _) = peer.send(request("GET", "/"), true);
    let mut body = peer.wait(response).unwrap().into_body();
    assert_eq!(peer.wait(body.data()).unwrap().unwrap().len(), 1000);
    let error = peer.wait(body.data()).unwrap().unwrap_err();
    assert!(error.is_reset(), "{error:?}");
    timed(begin);
    heard.recv_timeout(greenlight_testkit::client::PATIENCE).expect("the origin is let go");
    assert!(!peer.driver.is_finished(), "the connection stays");
}

#[test]
fn a_client_that_reads_nothing_loses_its_connection() {
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            link.send("HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n");
            for _ in 0..200 {
                link.send(vec![b'x'; 100_000]);
            }
        }
    });
    let front = front(&origin, |setup| setup.limits.write_stall_timeout = LIMIT);
    let mut raw = Raw::connect(front.address);
    // Windows for more than any socket holds.
    raw.send(&frame(8, 0, 0, &0x3fff_ffff_u32.to_be_bytes()));
    raw.send(&frame(HEADERS, END_HEADERS | 1, 1, &get("/", &[])));
    raw.send(&frame(8, 0, 1, &0x3fff_ffff_u32.to_be_bytes()));
    let begin = greenlight::clock::instant();
    while front.metric("greenlight_connections") != Some(0.0) {
        assert!(begin.elapsed() < greenlight_testkit::client::PATIENCE);
        std::thread::yield_now();
    }
    assert!(begin.elapsed() < LIMIT_AND_MORE + LIMIT, "{:?}", begin.elapsed());
}

#[test]
fn a_shutdown_says_goaway_and_lets_streams_finish() {
    let (release, gate) = std::sync::mpsc::sync_channel::<()>(1);
    let gate = std::sync::Mutex::new(gate);
    let origin = Origin::start(move |link| {
        if link.head().is_some() {
            gate.lock().unwrap().recv().unwrap();
            link.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        }
    });
    let mut front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    let mut peer = Peer::connect(front.address);
    let (response, _) = peer.send(request("GET", "/"), true);
    let begin = greenlight::clock::instant();
    while front.inflight(greenlight::model::Color::Blue) == 0 {
        assert!(begin.elapsed() < greenlight_testkit::client::PATIENCE);
        std::thread::yield_now();
    }
    front.begin_shutdown(Duration::from_secs(8));
    let goaway = raw.until(|frame| frame.kind == GOAWAY).expect("a GOAWAY");
    assert_eq!(goaway.code(), 0);
    release.send(()).unwrap();
    assert_eq!(peer.answer(response).unwrap().text(), "done");
    let driver = std::mem::replace(&mut peer.driver, peer.runtime.spawn(async { Ok(()) }));
    peer.wait(driver).unwrap().unwrap();
    // The one that answers nothing to the GOAWAY's ping must not hold up the end.
    drop(raw);
    let begin = greenlight::clock::instant();
    front.shut_down();
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}
