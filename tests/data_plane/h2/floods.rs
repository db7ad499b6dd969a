//! Floods of frames that ask for nothing: whoever sends them is closed, and soon.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use greenlight::model::Color;

use greenlight_testkit::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, PRIORITY, RST_STREAM, Raw, SETTINGS,
    WINDOW_UPDATE, block, frame, get,
};
use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::peer::{Peer, request};
use greenlight_testkit::setting::{alone, setting};

/// Frames of a flood; a tenth of them has to be too many.
const FRAMES: u32 = 20_000;
const ENHANCE_YOUR_CALM: u32 = 11;

type Flood = (&'static str, fn(u32) -> Vec<u8>);

/// The `number`th piece of each flood, on a connection whose stream 1 is open.
const FLOODS: &[Flood] = &[
    ("ping", |_| frame(PING, 0, 0, b"12345678")),
    ("ping answers", |_| frame(PING, 1, 0, b"12345678")),
    ("settings", |_| frame(SETTINGS, 0, 0, &[])),
    ("settings with values", |_| frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])),
    ("empty data", |_| frame(DATA, 0, 1, &[])),
    ("tiny data", |_| frame(DATA, 0, 1, b"x")),
    ("padding", |_| frame(DATA, 8, 1, &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    ("priority", |_| frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
    ("window updates", |_| frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])),
    ("unknown frames", |_| frame(0x77, 0, 0, &[])),
    ("rapid reset", |number| {
        let stream = 3 + 2 * number;
        let head = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get("/", &[]));
        [head, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    }),
    ("faulty requests", |number| {
        let fields = block(&[(":method", "GET"), (":path", "/")]);
        frame(HEADERS, END_HEADERS | END_STREAM, 3 + 2 * number, &fields)
    }),
    ("continuation", |number| {
        if number == 0 {
            frame(HEADERS, 0, 3, &get("/", &[]))
        } else {
            frame(CONTINUATION, 0, 3, &block(&[("x-a", "b")]))
        }
    }),
    ("empty continuation", |number| {
        if number == 0 { frame(HEADERS, 0, 3, &get("/", &[])) } else { frame(CONTINUATION, 0, 3, &[]) }
    }),
];

/// What became of a flood.
struct Flooded {
    frames: u32,
    /// What went out of them.
    bytes: usize,
    /// The code of the GOAWAY.
    code: Option<u32>,
}

/// Floods somebody on one connection. Its open stream is of the other color, whose upstream connections are not
/// those of the neighbors.
fn flood(address: SocketAddr, piece: fn(u32) -> Vec<u8>) -> Flooded {
    let mut raw = Raw::connect(address);
    let authority = format!("green.{HOST}");
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/hang"),
        (":authority", &authority),
        ("content-type", "application/grpc"),
    ];
    raw.send(&frame(HEADERS, END_HEADERS, 1, &block(&fields)));
    let mut reader = raw.try_clone();
    let end = std::thread::spawn(move || reader.end());
    let (mut frames, mut bytes) = (0, 0);
    for number in (0..FRAMES).step_by(20) {
        let batch: Vec<u8> = (number..number + 20).flat_map(piece).collect();
        if raw.flood(&batch) {
            break;
        }
        frames = number + 20;
        bytes += batch.len();
    }
    Flooded { frames, bytes, code: end.join().unwrap() }
}

/// Answers, but for `/hang`: that one waits for the client.
fn origin() -> Origin {
    Origin::start(|link| {
        while let Some(head) = link.head() {
            if head.contains(" /hang ") {
                link.rest();
                return;
            }
            link.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    })
}

#[test]
fn a_flood_ends_its_connection() {
    let origin = origin();
    let front = Front::between(&[origin.address], &[origin.address]);
    for (name, piece) in FLOODS {
        let begin = greenlight::clock::instant();
        let Flooded { frames, code, .. } = flood(front.address, *piece);
        // What is in flight when the verdict falls is the sockets': some hundred kilobytes.
        assert!(
            code.is_none() || code == Some(ENHANCE_YOUR_CALM) || code == Some(1),
            "{name}: GOAWAY {code:?}"
        );
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "{name}: {:?} and {frames} frames",
            begin.elapsed()
        );
    }
    // The one that hangs of each, and those whose reset came in a later read than they did.
    assert!(origin.heads().len() < 200, "{} requests got through", origin.heads().len());
    for color in Color::ALL {
        assert_eq!(front.inflight(color), 0, "{color:?}");
    }
    assert_eq!(Peer::connect(front.address).get("/").text(), "ok");
}

/// A neighbor's times, request after request on a connection of its own; at least so many.
fn neighbor(front: &Front, count: usize) -> Vec<Duration> {
    let mut peer = Peer::connect(front.address);
    let timed = |_| {
        let begin = greenlight::clock::instant();
        assert_eq!(peer.ask(request("GET", "/")).unwrap().text(), "ok");
        begin.elapsed()
    };
    (0..count).map(timed).collect()
}

/// Has a core as soon as it has something to do.
const FIRST: [&str; 3] = ["--fifo", "--pid", "1"];
/// Has a core when nobody else wants one.
const LAST: [&str; 3] = ["--idle", "--pid", "0"];

/// Schedules the calling thread, and those that it starts (sched(7)). The neighbor, its origin and whoever floods are
/// other machines: the front door is to be what the neighbor waits for, not a core that somebody else has. Beside
/// other tests who is last would never get to run.
fn schedule(policy: [&str; 3]) {
    if alone() {
        let this = std::fs::read_link("/proc/thread-self").unwrap();
        let done = Command::new("chrt").args(policy).arg(this.file_name().unwrap()).status().unwrap();
        assert!(done.success(), "chrt {policy:?} needs root (CAP_SYS_NICE)");
    }
}

/// Does it on a thread of its own.
fn scheduled<T: Send>(policy: [&str; 3], work: impl FnOnce() -> T + Send) -> T {
    let scheduled = move || {
        schedule(policy);
        work()
    };
    std::thread::scope(|scope| scope.spawn(scheduled).join().unwrap())
}

/// The neighbor's times beside somebody who floods all the while, on one connection after the other; and the bytes
/// that one of them got rid of.
fn beside(
    front: &Front,
    flooded: SocketAddr,
    piece: fn(u32) -> Vec<u8>,
    count: usize,
) -> (Vec<Duration>, usize) {
    let (begun, over) = (Barrier::new(2), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let flooding = scope.spawn(|| {
            schedule(LAST);
            begun.wait();
            let (mut floods, mut bytes) = (0, 0);
            while floods == 0 || !over.load(Ordering::Relaxed) {
                bytes += flood(flooded, piece).bytes;
                floods += 1;
            }
            bytes / floods
        });
        begun.wait();
        let times = scheduled(FIRST, || neighbor(front, count));
        over.store(true, Ordering::Relaxed);
        (times, flooding.join().unwrap())
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Takes so many bytes of each flood and does nothing with them: what a flood costs whoever shares the machine with the
/// one who sends it.
fn sink(takes: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { return };
            let _ = socket.write_all(&frame(SETTINGS, 0, 0, &[]));
            let mut taken = 0;
            let mut bytes = [0; 4096];
            while taken < takes.load(Ordering::Relaxed)
                && let Ok(count @ 1..) = socket.read(&mut bytes)
            {
                taken += count;
            }
        }
    });
    address
}

/// A neighbor's 99th percentile beside each flood is at most twice what it is beside the same flood of somebody else
/// on this machine: floods as long as those that the front door has ended. Both are measured in turns; the median turn
/// of each counts.
#[test]
fn a_neighbor_of_a_flood_is_served_as_ever() {
    const ROUNDS: usize = 8;
    let count: usize = setting("GREENLIGHT_FLOOD_REQUESTS", 25);
    let (origin, hanging) = (scheduled(FIRST, origin), scheduled(LAST, origin));
    let front = Front::between(&[origin.address], &[hanging.address]);
    let takes = Arc::new(AtomicUsize::new(0));
    let sink = sink(Arc::clone(&takes));
    let quiet = p99(scheduled(FIRST, || neighbor(&front, count * ROUNDS)));
    let mut told = Vec::new();
    for (name, piece) in FLOODS {
        let (mut normal, mut flooded) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (times, bytes) = beside(&front, front.address, *piece, count);
            flooded.push(p99(times));
            takes.store(bytes, Ordering::Relaxed);
            normal.push(p99(beside(&front, sink, *piece, count).0));
        }
        let (normal, flooded) = (median(normal), median(flooded));
        let limit = if alone() { normal * 2 } else { Duration::from_secs(2) };
        assert!(flooded <= limit, "{name}: {flooded:?}, normally {normal:?}, {quiet:?} alone");
        told.push(format!("{name} {flooded:.1?} ({normal:.1?})"));
    }
    println!(
        "RESULT floods: p99 of a neighbor {quiet:.1?} alone; beside floods (beside the same floods of nobody): {}; \
         {ROUNDS} x {count} requests each",
        told.join(", "),
    );
}

#[test]
fn what_honest_clients_send_is_no_flood() {
    let origin = origin();
    let front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    assert!(PREFACE.len() == 24);
    // A ping with each request, as gRPC measures its bandwidth; windows opened with each answer; every
    // tenth request given up; settings changed now and then.
    let mut bytes = Vec::new();
    for number in 0..600_u32 {
        let stream = 1 + 2 * number;
        bytes.clear();
        bytes.extend_from_slice(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &get("/", &[])));
        bytes.extend_from_slice(&frame(PING, 0, 0, b"12345678"));
        bytes.extend_from_slice(&frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 2]));
        if number % 100 == 0 {
            bytes.extend_from_slice(&frame(SETTINGS, 0, 0, &[]));
        }
        if number % 10 == 9 {
            bytes.extend_from_slice(&frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        }
        raw.send(&bytes);
        assert!(raw.until(|frame| frame.kind == PING && frame.flags == 1).is_some(), "request {number}");
    }
    assert!(raw.is_alive());
}
