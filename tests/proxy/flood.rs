//! Thousands of clients and origins that do nothing: each ends at its limit, and a client that means
//! well notices none of it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::client::PATIENCE;
use super::front::{HOST, Setup};
use super::origin::Origin;

const LIMIT: Duration = Duration::from_secs(3);
/// A deadline is at most two ticks late; the rest is a busy machine.
const GRACE: Duration = Duration::from_secs(1);

fn count() -> usize {
    std::env::var("GREENLIGHT_FLOOD").ok().and_then(|text| text.parse().ok()).unwrap_or(5000)
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn now() -> Instant {
    Instant::now()
}

/// A client whose system holds little of what it does not read: else gigabytes would be moved first.
fn connect(address: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// What a bad client does, by its number.
fn begin(mut socket: &TcpStream, number: usize) {
    let bytes: &[u8] = match number % 8 {
        // Nothing at all; half a preface of HTTP/2; half a hello of TLS.
        0 => b"",
        1 => b"PRI * HT",
        2 => b"\x16\x03\x01",
        // Half a head; half a body; half a chunk.
        3 => b"GET / HTTP/1.1\r\nHost: app.te",
        4 => b"POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nhalf",
        5 => b"POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf",
        // A request whose origin never answers; one whose answer is not read.
        6 => b"GET /silent HTTP/1.1\r\nHost: app.test\r\n\r\n",
        _ => b"GET /endless HTTP/1.1\r\nHost: app.test\r\n\r\n",
    };
    socket.write_all(bytes).unwrap();
}

#[test]
fn thousands_that_do_nothing_end_at_their_limits_and_leave_a_good_client_alone() {
    let count = count();
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            if head.starts_with("GET /endless") {
                link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
                // Until nobody takes it any more.
                link.socket.set_write_timeout(Some(PATIENCE * 3)).unwrap();
                while (&link.socket).write_all(chunk.as_bytes()).is_ok() {}
                return;
            } else {
                link.rest();
                return;
            }
        }
    });
    // Of the same front door and the same service, but not of an origin that is out of its depth.
    let well = Origin::naming("good");
    let host = format!("green.{HOST}");
    let mut setup = Setup::new(&[origin.address], &[well.address]);
    setup.limits.connections_max = count * 2;
    setup.limits.detection_timeout = LIMIT;
    setup.limits.request_head_timeout = LIMIT;
    setup.limits.body_stall_timeout = LIMIT;
    setup.limits.write_stall_timeout = LIMIT;
    setup.settings().response_timeout = LIMIT;
    let front = setup.start();

    let mut good = front.client();
    assert_eq!(good.get(&host, "/good").text(), "good");
    let bad: Vec<_> = (0..count)
        .map(|number| {
            let socket = connect(front.address);
            begin(&socket, number);
            (socket, number, now())
        })
        .collect();
    // The good client is served all the while.
    let mut slowest = Duration::ZERO;
    while front.collect()[0].connections > count as u64 / 2 {
        let begun = now();
        assert_eq!(good.get(&host, "/good").text(), "good");
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < GRACE, "a good client waited {slowest:?}");
    while front.collect()[0].connections > 1 {
        assert_eq!(good.get(&host, "/good").text(), "good");
    }
    let last = bad.last().unwrap().2;
    assert!(last.elapsed() < LIMIT + GRACE, "the last ended {:?} after it began", last.elapsed());
    // Each was ended by us, with an answer where there was a request.
    for (socket, number, _) in bad {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = socket.shutdown(Shutdown::Write);
        let mut answer = [0; 12];
        let read = (&socket).read(&mut answer).unwrap_or(0);
        let status = std::str::from_utf8(&answer[..read]).unwrap_or_default().get(9..).unwrap_or_default();
        let expected = match number % 8 {
            0 | 1 => "",
            2 => "400",
            3..=5 => "408",
            6 => "504",
            _ => "200",
        };
        assert_eq!(status, expected, "client {number}");
    }
}
