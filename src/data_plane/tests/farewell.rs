//! Where a Close frame may stand, and what follows it.

use crate::data_plane::request::farewell::{Frames, Passing};
use crate::data_plane::request::lane::Lane;
use crate::data_plane::worker::chunk::ChunkPool;
use crate::http1::{Framing, HeadLimits, Sending};

const CLOSE: [u8; 4] = [0x88, 2, 0x03, 0xe9];
const HELLO: &[u8] = b"\x81\x05hello";

#[test]
fn a_close_waits_for_the_end_of_the_frame() {
    let mut frames = Frames::new(None);
    assert_eq!(frames.pass(&HELLO[..4]), Passing::All);
    frames.want_close();
    assert!(!frames.is_due());
    assert_eq!(frames.pass(&HELLO[4..6]), Passing::All);
    assert_eq!(frames.pass(&[&HELLO[6..], HELLO].concat()), Passing::Until(1));
    frames.say(&mut Vec::new());
    assert_eq!(frames.pass(HELLO), Passing::Nothing);
    assert!(frames.has_said() && !frames.is_answered());
    assert_eq!(frames.pass(&CLOSE), Passing::Nothing);
    assert!(frames.is_answered());
}

#[test]
fn who_has_said_a_close_gets_none() {
    let mut frames = Frames::new(None);
    frames.pass(&CLOSE);
    frames.want_close();
    assert!(!frames.is_due() && !frames.has_said());
    // Also when its last bytes come after ours was wanted.
    let mut frames = Frames::new(None);
    frames.pass(&CLOSE[..3]);
    frames.want_close();
    assert_eq!(frames.pass(&CLOSE[3..]), Passing::All);
    assert!(!frames.is_due());
}

fn lane(bytes: &[u8]) -> Lane {
    let mut lane = Lane::new(Vec::new(), Framing::ToEnd, Sending::ToEnd, &HeadLimits::RESPONSE, 0);
    lane.watch(Frames::new(None));
    give(&mut lane, bytes);
    lane
}

fn give(lane: &mut Lane, bytes: &[u8]) {
    let mut chunk = ChunkPool::new(64 * 1024).take();
    chunk.append(bytes);
    lane.give(chunk);
}

#[test]
fn a_lane_says_it_behind_what_was_begun_and_passes_nothing_after_it() {
    let mut lane = lane(&HELLO[..3]);
    lane.prepare().unwrap();
    lane.written(3);
    lane.want_close();
    lane.prepare().unwrap();
    assert!(!lane.is_blocked() && !lane.has_said_close());
    give(&mut lane, &[&HELLO[3..], HELLO].concat());
    lane.prepare().unwrap();
    assert_eq!(lane.unsent(), [&HELLO[3..], &CLOSE].concat());
    assert!(!lane.has_said_close(), "not before it is written");
    lane.written(4 + CLOSE.len());
    assert!(lane.has_said_close());
    give(&mut lane, &[HELLO, &CLOSE].concat());
    lane.prepare().unwrap();
    assert!(lane.is_complete() && lane.unsent().is_empty());
}

#[test]
fn an_idle_lane_says_it_at_once() {
    let mut lane = lane(HELLO);
    lane.prepare().unwrap();
    lane.written(HELLO.len());
    lane.want_close();
    lane.prepare().unwrap();
    assert_eq!(lane.unsent(), CLOSE);
}
