//! Thousands of clients and origins that do nothing: each ends at its limit, and a client that means
//! well notices none of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::setting::{alone, setting};

const LIMIT: Duration = Duration::from_secs(3);
/// A deadline is at most two ticks late; the rest is a busy machine.
const GRACE: Duration = Duration::from_secs(1);

/// The kinds of clients that do nothing.
const KINDS: usize = 9;

fn count() -> usize {
    setting("GREENLIGHT_FLOOD", 5000)
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
    let bytes: &[u8] = match number % KINDS {
        // Nothing at all; half a preface of HTTP/2; half a hello of TLS.
        0 => b"",
        1 => b"PRI * HT",
        2 => b"\x16\x03\x01",
        // Half a head; half a body; half a chunk.
        3 => b"GET / HTTP/1.1\r\nHost: app.te",
        4 => b"POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nhalf",
        5 => b"POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf",
        // A request whose origin never answers; one whose answer is not read.
        6 => b"GET /silent HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n",
        7 => b"GET /endless HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n",
        // A connection of HTTP/2 on which nothing is asked: the preface, and empty SETTINGS.
        _ => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    };
    socket.write_all(bytes).unwrap();
}

/// Serves nobody well: silent, or without an end.
fn hopeless() -> Origin {
    Origin::start(|link| {
        let Some(head) = link.head() else { return };
        if !head.starts_with("GET /endless") {
            link.rest();
            return;
        }
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
        // Until nobody takes it any more.
        link.socket.set_write_timeout(Some(PATIENCE * 3)).unwrap();
        while (&link.socket).write_all(chunk.as_bytes()).is_ok() {}
    })
}

fn impatient(blue: &Origin, green: &Origin, connections: usize) -> Front {
    let mut setup = Setup::new(&[blue.address], &[green.address]);
    setup.limits.connections_max = connections;
    setup.limits.detection_timeout = LIMIT;
    setup.limits.request_head_timeout = LIMIT;
    setup.limits.body_stall_timeout = LIMIT;
    setup.limits.write_stall_timeout = LIMIT;
    setup.limits.keep_alive_timeout = LIMIT;
    setup.settings().response_timeout = LIMIT;
    // Thousands of connects to one small origin take their time; that is not what is measured.
    setup.settings().connect_timeout = PATIENCE * 3;
    setup.start()
}

/// What a bad client is told before its connection ends: a status; over HTTP/2 our SETTINGS come first, which have none.
fn told(number: usize) -> &'static str {
    match number % KINDS {
        2 => "400",
        3..=5 => "408",
        6 => "504",
        7 => "200",
        // Closed without a word.
        _ => "",
    }
}

/// The status in the first bytes of an answer.
fn status(answer: &[u8]) -> &str {
    let text = answer.strip_prefix(b"HTTP/1.1 ").unwrap_or_default();
    std::str::from_utf8(&text[..text.len().min(3)]).unwrap()
}

#[test]
fn each_ends_at_its_limit_and_a_second_at_most() {
    let (origin, other) = (hopeless(), Origin::naming("good"));
    let front = impatient(&origin, &other, 100);
    let clients: Vec<_> = (0..KINDS)
        // Whoever does not read can't say when the connection has ended: see `timers`.
        .filter(|number| *number != 7)
        .map(|number| {
            let socket = connect(front.address);
            begin(&socket, number);
            std::thread::spawn(move || {
                let begun = now();
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut answer = Vec::new();
                (&socket).read_to_end(&mut answer).unwrap();
                (number, answer, begun.elapsed())
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for client in clients {
        let (number, answer, took) = client.join().unwrap();
        assert_eq!(status(&answer), told(number), "client {number}: {}", answer.escape_ascii());
        // Bytes that are no HTTP are refused at once.
        let least = if number == 2 { Duration::ZERO } else { LIMIT };
        assert!((least..LIMIT + GRACE).contains(&took), "client {number} ended after {took:?}");
        slowest = slowest.max(took);
    }
    println!(
        "RESULT timers: {} kinds, each at its limit of {LIMIT:?}, the last after {slowest:.2?}",
        KINDS - 1
    );
}

#[test]
fn thousands_that_do_nothing_are_ended_and_leave_a_good_client_alone() {
    let count = count();
    // Of the same front door and the same service, but not of an origin that is out of its depth.
    let (origin, well) = (hopeless(), Origin::naming("good"));
    let host = format!("green.{HOST}");
    let front = impatient(&origin, &well, count * 2);
    let mut good = front.client();
    assert_eq!(good.get(&host, "/good").text(), "good");
    let bad: Vec<_> = (0..count)
        .map(|number| {
            let socket = connect(front.address);
            begin(&socket, number);
            socket
        })
        .collect();
    // The good client is served all the while.
    let begun = now();
    let mut waits = Vec::new();
    while front.collect()[0].connections > 1 {
        let asked = now();
        assert_eq!(good.get(&host, "/good").text(), "good");
        waits.push(asked.elapsed());
        assert!(begun.elapsed() < LIMIT + PATIENCE * 3, "some never end");
    }
    waits.sort_unstable();
    let (served, p99) = (waits.len(), waits[waits.len() * 99 / 100]);
    println!("RESULT flood: {count} that do nothing, a good client served {served} times, p99 {p99:?}");
    let bar = Duration::from_millis(if alone() { 250 } else { 2000 });
    assert!(p99 < bar, "a good client waited {p99:?}");
    for (number, socket) in bad.iter().enumerate() {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0; 12];
        let read = (&*socket).read(&mut answer).unwrap_or(0);
        assert_eq!(status(&answer[..read]), told(number), "client {number}");
    }
}
