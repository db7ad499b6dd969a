//! An origin that changes its mind: it raises and lowers its limit of streams, refuses and resets streams,
//! says GOAWAY, and closes connections, at random. No request hangs.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;

use super::upstream::setup;
use greenlight_testkit::flow::send_all;
use greenlight_testkit::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    frame,
};
use greenlight_testkit::origin::{Link, Origin};
use greenlight_testkit::peer::{Peer, request, whole};
use greenlight_testkit::setting::setting;

/// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 6.5.2).
const STREAMS_MAX: [u8; 2] = [0, 3];
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;

/// Random numbers of a seed (splitmix64).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % most
    }
}

/// The streams of one connection, as the origin sees them.
#[derive(Debug, Default)]
struct Streams {
    /// The open streams. True means that the client has ended its side.
    open: BTreeMap<u32, bool>,
    last: u32,
    /// The limits that were sent and are not acknowledged yet.
    sent: VecDeque<u32>,
    /// The limit that the door has acknowledged.
    limit: u32,
    going: bool,
}

/// One connection of the origin.
#[derive(Debug)]
struct Fickle<'l> {
    link: &'l mut Link,
    random: Random,
    streams: Streams,
    buffer: Vec<u8>,
    faulty: &'l AtomicBool,
}

/// The frame that was read, or the reason why there is none.
enum Read1 {
    Frame { kind: u8, flags: u8, stream: u32, length: u32 },
    Idle,
    Closed,
}

impl Fickle<'_> {
    fn run(&mut self) {
        self.link.socket.set_read_timeout(Some(Duration::from_millis(3))).unwrap();
        while self.buffer.len() < PREFACE.len() {
            if matches!(self.more(), Read1::Closed) {
                return;
            }
        }
        self.buffer.drain(..PREFACE.len());
        let limit = u32::try_from(self.random.below(6)).unwrap();
        self.limit(limit);
        loop {
            match self.read() {
                Read1::Closed => return,
                Read1::Idle => self.idle(),
                Read1::Frame { kind, flags, stream, length } => {
                    self.took(kind, flags, stream, length);
                    match self.random.below(60) {
                        0 => return,
                        1..=4 => {
                            let limit = u32::try_from(self.random.below(5)).unwrap();
                            self.limit(limit);
                        }
                        5 => self.goaway(),
                        6..=8 => self.end_one(true),
                        9..=30 => self.end_one(false),
                        _ => {}
                    }
                }
            }
            if self.streams.going && self.streams.open.is_empty() {
                return;
            }
        }
    }

    fn more(&mut self) -> Read1 {
        let mut bytes = [0; 16 * 1024];
        match self.link.socket.read(&mut bytes) {
            Ok(0) => Read1::Closed,
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Read1::Idle
            }
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Read1::Idle,
            Err(_) => Read1::Closed,
        }
    }

    fn read(&mut self) -> Read1 {
        loop {
            if let Some(&[high, middle, low, kind, flags, s0, s1, s2, s3]) = self.buffer.first_chunk::<9>() {
                let length = u32::from_be_bytes([0, high, middle, low]);
                let whole = 9 + length as usize;
                if self.buffer.len() >= whole {
                    self.buffer.drain(..whole);
                    return Read1::Frame {
                        kind,
                        flags,
                        stream: u32::from_be_bytes([s0, s1, s2, s3]),
                        length,
                    };
                }
            }
            let before = self.buffer.len();
            match self.more() {
                Read1::Idle if self.buffer.len() > before => {}
                other => return other,
            }
        }
    }

    fn took(&mut self, kind: u8, flags: u8, stream: u32, length: u32) {
        let streams = &mut self.streams;
        match kind {
            HEADERS if stream > streams.last => {
                streams.last = stream;
                if streams.open.len() >= streams.limit as usize && streams.sent.is_empty() {
                    self.faulty.store(true, Ordering::SeqCst);
                }
                if !streams.going {
                    streams.open.insert(stream, flags & END_STREAM != 0);
                }
            }
            DATA => {
                if length > 0 {
                    self.link.send(frame(WINDOW_UPDATE, 0, 0, &length.to_be_bytes()));
                }
                if let Some(ended) = self.streams.open.get_mut(&stream) {
                    *ended |= flags & END_STREAM != 0;
                    if length > 0 && !*ended {
                        self.link.send(frame(WINDOW_UPDATE, 0, stream, &length.to_be_bytes()));
                    }
                }
            }
            RST_STREAM => {
                streams.open.remove(&stream);
            }
            SETTINGS if flags & ACK == 0 => self.link.send(frame(SETTINGS, ACK, 0, &[])),
            SETTINGS => {
                if let Some(limit) = streams.sent.pop_front() {
                    streams.limit = limit;
                }
            }
            PING if flags & ACK == 0 => self.link.send(frame(PING, ACK, 0, &[0; 8])),
            _ => {}
        }
    }

    /// Nothing came for a moment, so the origin goes on with its work.
    fn idle(&mut self) {
        if self.streams.open.values().any(|ended| *ended) {
            self.end_one(false);
        } else if self.streams.open.is_empty() && self.streams.limit == 0 && self.streams.sent.is_empty() {
            let limit = 1 + u32::try_from(self.random.below(4)).unwrap();
            self.limit(limit);
        }
    }

    fn limit(&mut self, limit: u32) {
        self.streams.sent.push_back(limit);
        self.link.send(frame(SETTINGS, 0, 0, &[&STREAMS_MAX[..], &limit.to_be_bytes()].concat()));
    }

    /// Answers a stream whose request is complete, or resets any stream.
    fn end_one(&mut self, reset: bool) {
        let fits = self.streams.open.iter().filter(|(_, ended)| reset || **ended);
        let fits: Vec<u32> = fits.map(|(stream, _)| *stream).collect();
        if fits.is_empty() {
            return;
        }
        let stream = fits[usize::try_from(self.random.below(fits.len() as u64)).unwrap()];
        self.streams.open.remove(&stream);
        if reset {
            let code = [REFUSED_STREAM, INTERNAL_ERROR][usize::try_from(self.random.below(2)).unwrap()];
            self.link.send(frame(RST_STREAM, 0, stream, &code.to_be_bytes()));
        } else {
            // 0x88 is the indexed field `:status: 200`.
            self.link.send(frame(HEADERS, END_HEADERS, stream, &[0x88]));
            self.link.send(frame(DATA, END_STREAM, stream, b"done"));
        }
    }

    fn goaway(&mut self) {
        self.streams.going = true;
        let last = self.streams.last.to_be_bytes();
        self.link.send(frame(GOAWAY, 0, 0, &[last, NO_ERROR.to_be_bytes()].concat()));
    }
}

fn life(seed: u64) {
    let seeds = Mutex::new(Random(seed));
    let faulty = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&faulty);
    let origin = Origin::start(move |link| {
        let random = Random(seeds.lock().unwrap().below(u64::MAX));
        let (streams, buffer) = (Streams { limit: u32::MAX, ..Streams::default() }, Vec::new());
        Fickle { link, random, streams, buffer, faulty: &noted }.run();
    });
    let front = setup(origin.address).start();
    let mut random = Random(seed ^ 0xabcd);
    let mut peer = Peer::connect(front.address);
    for _ in 0..3 {
        let answers = (0..25).map(|_| {
            let kind = random.below(4);
            let mut asked = request(if kind == 0 { "GET" } else { "POST" }, "/");
            if kind == 1 {
                asked.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
            }
            let (response, mut send) = peer.send(asked, kind == 0);
            if kind != 0 {
                let body = Bytes::from(vec![b'x'; usize::try_from(random.below(40_000)).unwrap()]);
                peer.runtime.spawn(async move {
                    let _ = send_all(&mut send, body, false).await;
                    let _ = send.send_data(Bytes::new(), true);
                });
            }
            peer.runtime.spawn(whole(response))
        });
        let answers: Vec<_> = answers.collect();
        for (number, answer) in answers.into_iter().enumerate() {
            // Each request ends, well or not. `wait` panics if one hangs.
            let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| peer.wait(answer)));
            let ended = waited.unwrap_or_else(|_| panic!("seed {seed}: request {number} hangs"));
            if let Ok(answer) = ended.unwrap() {
                assert!(matches!(answer.status.as_u16(), 200 | 502 | 503), "seed {seed}: {answer:?}");
            }
        }
    }
    assert!(!faulty.load(Ordering::SeqCst), "seed {seed}: more streams than the origin takes");
}

#[test]
fn no_request_hangs_whatever_the_origin_does_with_its_streams() {
    let first: u64 = setting("GREENLIGHT_SEED", 1);
    for seed in first..first + setting("GREENLIGHT_H2_LIVES", 12) {
        life(seed);
    }
}
