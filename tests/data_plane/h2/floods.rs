//! Floods of frames that ask for nothing. The door soon closes the connection of the client that sends them.

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

/// The most frames that a flood sends.
const FRAMES: u32 = 20_000;
const ENHANCE_YOUR_CALM: u32 = 11;

type Flood = (&'static str, fn(u32) -> Vec<u8>);

/// The kinds of floods. Each function makes the `number`th piece of its flood, for a connection whose stream
/// 1 is open.
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

/// The result of one flood.
struct Flooded {
    /// The frames that the client has written.
    frames: u32,
    /// The bytes of these frames.
    bytes: usize,
    /// The code of the GOAWAY, if the door has sent one.
    code: Option<u32>,
}

/// Floods an address on one connection. The connection's open stream goes to the other color, so it shares no
/// upstream connection with the neighbors' requests.
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

/// An origin that answers every request but `/hang`. A request for `/hang` stays open until the client ends
/// it.
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
        // No limit for `frames` is asserted: when the door decides, some hundred kilobytes are still in the
        // sockets.
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
    // Each flood has one request that hangs. Further requests get through if the door reads their reset in a
    // later read than their head.
    assert!(origin.heads().len() < 200, "{} requests got through", origin.heads().len());
    for color in Color::ALL {
        assert_eq!(front.inflight(color), 0, "{color:?}");
    }
    assert_eq!(Peer::connect(front.address).get("/").text(), "ok");
}

/// A neighbor sends `count` requests, one after the other, on a connection of its own. Returns the time of
/// each.
fn neighbor(front: &Front, count: usize) -> Vec<Duration> {
    let mut peer = Peer::connect(front.address);
    let timed = |_| {
        let begin = greenlight::clock::instant();
        assert_eq!(peer.ask(request("GET", "/")).unwrap().text(), "ok");
        begin.elapsed()
    };
    (0..count).map(timed).collect()
}

/// Options of `chrt` for a thread that gets a core as soon as it is ready to run.
const FIRST: [&str; 3] = ["--fifo", "--pid", "1"];
/// Options of `chrt` for a thread that gets a core only when no other thread needs it.
const LAST: [&str; 3] = ["--idle", "--pid", "0"];

/// Sets the scheduling policy of the calling thread and of the threads that it starts (sched(7)).
///
/// In production the neighbor, its origin and the flooding client are other machines. The neighbor is to wait
/// for the door alone, and not for a core that another part of the test uses. Nothing is done unless the
/// machine runs this test alone, because beside other tests a thread with [`LAST`] would never run.
fn schedule(policy: [&str; 3]) {
    if alone() {
        let this = std::fs::read_link("/proc/thread-self").unwrap();
        let done = Command::new("chrt").args(policy).arg(this.file_name().unwrap()).status().unwrap();
        assert!(done.success(), "chrt {policy:?} needs root (CAP_SYS_NICE)");
    }
}

/// Runs `work` on a thread of its own with this scheduling policy.
fn scheduled<T: Send>(policy: [&str; 3], work: impl FnOnce() -> T + Send) -> T {
    let scheduled = move || {
        schedule(policy);
        work()
    };
    std::thread::scope(|scope| scope.spawn(scheduled).join().unwrap())
}

/// Measures the neighbor's times while a client floods `flooded`, on one connection after the other. Returns
/// the times, and the mean number of bytes that one flood has written.
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

/// A server that reads `takes` bytes of each flood, ignores them, and closes the connection.
///
/// It shows how much a flood costs a neighbor just because both clients run on one machine.
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

/// While a client floods the door, a neighbor's 99th percentile is at most twice its 99th percentile while
/// the same client floods [`sink`] on this machine. The floods of the sink are as long as those that the door
/// has ended. The two are measured in turns, and the median of the turns counts.
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
fn frames_of_honest_clients_are_no_flood() {
    let origin = origin();
    let front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    assert!(PREFACE.len() == 24);
    // The client sends a ping with each request, as gRPC does to measure the bandwidth. It opens the window
    // with each request, resets every tenth request, and sends SETTINGS with every hundredth.
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
