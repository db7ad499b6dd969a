//! Where a Close frame may stand, and which bytes pass after it.

use crate::data_plane::request::copy_loop::CopyLoop;
use crate::data_plane::request::drain_close::{DrainClose, Passing};
use crate::data_plane::worker::chunk::ChunkPool;
use crate::http1::{Framing, HeadLimits, Sending};

const CLOSE: [u8; 4] = [0x88, 2, 0x03, 0xe9];
const HELLO: &[u8] = b"\x81\x05hello";

#[test]
fn a_close_waits_for_the_end_of_the_frame() {
    let mut frames = DrainClose::new(None);
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
fn a_sender_that_has_sent_a_close_gets_none() {
    let mut frames = DrainClose::new(None);
    frames.pass(&CLOSE);
    frames.want_close();
    assert!(!frames.is_due() && !frames.has_said());
    // The same holds if the last bytes of that Close come after ours was wanted.
    let mut frames = DrainClose::new(None);
    frames.pass(&CLOSE[..3]);
    frames.want_close();
    assert_eq!(frames.pass(&CLOSE[3..]), Passing::All);
    assert!(!frames.is_due());
}

fn copy_loop(bytes: &[u8]) -> CopyLoop {
    let mut copy_loop = CopyLoop::new(Vec::new(), Framing::ToEnd, Sending::ToEnd, &HeadLimits::RESPONSE, 0);
    copy_loop.watch(DrainClose::new(None));
    give(&mut copy_loop, bytes);
    copy_loop
}

fn give(copy_loop: &mut CopyLoop, bytes: &[u8]) {
    let mut chunk = ChunkPool::new(64 * 1024).take();
    chunk.append(bytes);
    copy_loop.give(chunk);
}

#[test]
fn a_copy_loop_sends_its_close_behind_the_frame_in_progress_and_passes_nothing_after_it() {
    let mut copy_loop = copy_loop(&HELLO[..3]);
    copy_loop.prepare().unwrap();
    copy_loop.written(3);
    copy_loop.want_close();
    copy_loop.prepare().unwrap();
    assert!(!copy_loop.is_blocked() && !copy_loop.has_said_close());
    give(&mut copy_loop, &[&HELLO[3..], HELLO].concat());
    copy_loop.prepare().unwrap();
    assert_eq!(copy_loop.unsent(), [&HELLO[3..], &CLOSE].concat());
    assert!(!copy_loop.has_said_close(), "not before it is written");
    copy_loop.written(4 + CLOSE.len());
    assert!(copy_loop.has_said_close());
    give(&mut copy_loop, &[HELLO, &CLOSE].concat());
    copy_loop.prepare().unwrap();
    assert!(copy_loop.is_complete() && copy_loop.unsent().is_empty());
}

#[test]
fn an_idle_copy_loop_sends_its_close_at_once() {
    let mut copy_loop = copy_loop(HELLO);
    copy_loop.prepare().unwrap();
    copy_loop.written(HELLO.len());
    copy_loop.want_close();
    copy_loop.prepare().unwrap();
    assert_eq!(copy_loop.unsent(), CLOSE);
}
