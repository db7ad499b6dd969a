//! Flow control (RFC 9113, 5.2). Only the payload of DATA takes window, so streams that stand idle leave the
//! rest of the connection's window to the others.

use std::sync::mpsc::sync_channel;

use super::upstream::setup;
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Raw, frame, get};
use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::h2_origin::H2Origin;
use greenlight_testkit::origin::Origin;

/// The window of a connection at its start (RFC 9113, 6.9.2).
const WINDOW: usize = 65_535;
const IDLE: u32 = 60;

/// Reads DATA of a stream until `count` bytes have come.
fn take_data(raw: &mut Raw, stream: u32, count: usize) {
    let mut came = 0;
    while came < count {
        let data = raw.until(|frame| frame.kind == DATA && frame.stream == stream).expect("data");
        came += data.payload.len();
    }
    assert_eq!(came, count);
}

#[test]
fn idle_chunked_responses_hold_no_window_of_the_client() {
    let origin = Origin::start(|link| {
        let Some(head) = link.head() else { return };
        if head.starts_with("GET /idle") {
            link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            // A chunk whose size has come, and no payload yet.
            link.send("6\r\n");
            link.rest();
        } else {
            let length = WINDOW - 5 * IDLE as usize;
            link.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
            link.send(vec![b'x'; length]);
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    for stream in (1..=2 * IDLE).step_by(2) {
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &get("/idle", &[])));
        take_data(&mut raw, stream, 5);
    }
    // The client opens no window, so the last stream gets exactly what the others have left.
    let last = 2 * IDLE + 1;
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, last, &get("/all", &[])));
    take_data(&mut raw, last, WINDOW - 5 * IDLE as usize);
}

#[test]
fn idle_chunked_uploads_hold_no_window_of_the_origin() {
    let (told, heard) = sync_channel(1000);
    let origin = H2Origin::start(move |mut ask| {
        let told = told.clone();
        Box::pin(async move {
            // The origin reads and gives no window back.
            let mut came = 0;
            while let Some(Ok(data)) = ask.request.body_mut().data().await {
                came += data.len();
                told.send((ask.number, came)).unwrap();
            }
            std::future::pending::<()>().await;
        })
    });
    let front = setup(origin.address).start();
    let mut idle = Vec::new();
    let mut post = |framing: &str, body: &[u8]| {
        let mut client = front.client();
        client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\n\r\n"));
        client.send(body);
        idle.push(client);
    };
    for _ in 0..20 {
        post("Transfer-Encoding: chunked", b"5\r\nhello\r\n");
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap().1, 5);
    }
    let length = WINDOW - 100;
    post(&format!("Content-Length: {length}"), &vec![b'x'; length]);
    while heard.recv_timeout(PATIENCE).expect("the whole window").1 < length {}
    assert_eq!(origin.connections(), 1);
}
