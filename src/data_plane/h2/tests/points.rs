//! The limits on the cost of a client.

use proptest::prelude::*;

use crate::data_plane::h2::guard::{Guard, Offense, Reading, Stop};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[high, middle, low, kind, flags, 0, 0, 0, 1][..], payload].concat()
}

/// Takes all of the bytes at once.
fn take(guard: &mut Guard, bytes: &[u8], now: u32) -> Result<Reading, Stop> {
    guard.received(bytes, usize::MAX, now)
}

/// How many such frames a fresh connection takes in one tick; `None` if it takes 10 000.
fn taken(kind: u8, flags: u8, payload: &[u8]) -> Option<u32> {
    let mut guard = Guard::for_client(0);
    take(&mut guard, PREFACE, 0).unwrap();
    (0..10_000).find(|_| take(&mut guard, &frame(kind, flags, payload), 0).is_err())
}

#[test]
fn frames_that_ask_for_nothing_have_a_limit() {
    let table = [
        ("PING", 6, 0, &[0; 8][..], 500),
        ("PING answered", 6, 1, &[0; 8], 500),
        ("SETTINGS", 4, 0, &[], 100),
        ("SETTINGS acknowledged", 4, 1, &[], 500),
        ("RST_STREAM", 3, 0, &[0; 4], 500),
        ("PRIORITY", 2, 0, &[0; 5], 500),
        ("CONTINUATION", 9, 0, &[0; 100], 500),
        ("WINDOW_UPDATE", 8, 0, &[0; 4], 1000),
        ("empty DATA", 0, 0, &[], 200),
        ("tiny DATA", 0, 0, b"abcd", 500),
        ("DATA of padding", 0, 8, &[20; 21], 500),
        ("an unknown frame", 77, 0, &[], 1000),
    ];
    for (name, kind, flags, payload, most) in table {
        assert_eq!(taken(kind, flags, payload), Some(most), "{name}");
    }
}

#[test]
fn requests_and_messages_cost_nothing() {
    for (kind, flags, payload) in [(1, 4, &[0x82][..]), (0, 0, b"12345"), (0, 8, &[0; 300])] {
        assert_eq!(taken(kind, flags, payload), None, "{kind} {flags}");
    }
}

#[test]
fn points_come_back_with_time_and_with_sent_bytes() {
    let ping = frame(6, 0, &[0; 8]);
    let mut guard = Guard::for_client(7);
    take(&mut guard, PREFACE, 7).unwrap();
    // A ping costs four points; 20 come back in a tick.
    let spend = |guard: &mut Guard, now, count| (0..count).all(|_| take(guard, &ping, now).is_ok());
    assert!(spend(&mut guard, 7, 500));
    assert!(spend(&mut guard, 8, 5));
    assert!(spend(&mut guard, 18, 50));
    // A piece of 64 bytes brings eleven points back, an answered ping nearly nothing.
    let piece = frame(0, 0, &[0; 55]);
    for byte in piece.repeat(8) {
        guard.sent(&[byte]);
    }
    assert!(spend(&mut guard, 18, 22));
    guard.sent(&piece.repeat(1000));
    assert!(spend(&mut guard, 18, 500));
    assert!(spend(&mut guard, u32::MAX, 500), "never more than at first");
    assert!(!spend(&mut guard, u32::MAX, 1));
}

#[test]
fn faulty_requests_have_an_end() {
    let (request, reset) = (frame(1, 4, &[0x82]), frame(3, 0, &[0, 0, 0, 1]));
    let mut guard = Guard::for_client(0);
    take(&mut guard, PREFACE, 0).unwrap();
    let refused = (0..10_000).find(|_| {
        guard.sent(&reset);
        take(&mut guard, &request, 0).is_err()
    });
    assert_eq!(refused, Some(101));
    // A response that is cut after some of it was sent costs nothing.
    let mut guard = Guard::for_client(0);
    take(&mut guard, PREFACE, 0).unwrap();
    for _ in 0..10_000 {
        guard.sent(&[&request[..], &frame(0, 0, b"part"), &reset].concat());
        take(&mut guard, &request, 0).unwrap();
    }
}

#[test]
fn rapid_resets_have_an_end_before_other_resets() {
    let (request, reset) = (frame(1, 5, &[0x82]), frame(3, 0, &[0, 0, 0, 8]));
    let mut guard = Guard::for_client(0);
    take(&mut guard, PREFACE, 0).unwrap();
    let ended = (0..10_000_u32).find(|number| {
        let stream = (1 + 2 * number).to_be_bytes();
        let both = [&request[..5], &stream, &request[9..], &reset[..5], &stream, &reset[9..]].concat();
        let refused = take(&mut guard, &both, 0).is_err();
        guard.given_up();
        refused
    });
    assert_eq!(ended, Some(100));
}

#[test]
fn an_origin_is_not_counted_but_looked_at() {
    let mut guard = Guard::for_origin(0);
    for _ in 0..5000 {
        take(&mut guard, &frame(6, 0, &[0; 8]), 0).unwrap();
    }
    take(&mut guard, &frame(4, 1, &[]), 0).unwrap();
    assert!(!guard.settings_seen(), "an acknowledgement says nothing of the peer");
    take(&mut guard, &frame(4, 0, &[0, 3, 0, 0, 0, 1]), 0).unwrap();
    assert!(guard.settings_seen());
}

fn offense(frames: &[Vec<u8>]) -> Option<Offense> {
    let mut guard = Guard::for_client(0);
    let bytes = [PREFACE, &frames.concat()].concat();
    let before = bytes.len() - frames.last().unwrap().len();
    let stop = take(&mut guard, &bytes, 0).err()?;
    // The bytes before the offense are handed on, and of its frame nothing more than the header.
    assert!(stop.good == before || stop.good == before + 9, "{stop:?}");
    Some(stop.offense)
}

#[test]
fn offenses_have_the_names_that_the_rfc_gives_them() {
    let get = |flags| frame(1, flags, &[0x82]);
    let table = [
        (vec![frame(6, 0, &[0; 7])], Some(Offense::FrameSize(6))),
        (vec![frame(4, 0, &[0; 5])], Some(Offense::FrameSize(4))),
        (vec![frame(4, 1, &[0; 6])], Some(Offense::FrameSize(4))),
        (vec![frame(2, 0, &[0; 4])], Some(Offense::FrameSize(2))),
        (vec![frame(3, 0, &[0; 5])], Some(Offense::FrameSize(3))),
        (vec![frame(8, 0, &[0; 3])], Some(Offense::FrameSize(8))),
        (vec![frame(4, 0, &[0, 4, 0x80, 0, 0, 0])], Some(Offense::Window)),
        (vec![frame(4, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff, 0, 3, 0xff, 0, 0, 0])], None),
        (vec![frame(5, 4, &[0; 4])], Some(Offense::Push)),
        (vec![get(5), get(5)], Some(Offense::StreamClosed(1))),
        (vec![get(5), frame(0, 0, b"x")], Some(Offense::StreamClosed(0))),
        (vec![get(4), frame(0, 0, b"x"), get(5)], None),
        (vec![get(4), frame(3, 0, &[0; 4]), get(5)], Some(Offense::StreamClosed(1))),
        (vec![get(5), frame(8, 0, &[0; 4]), frame(2, 0, &[0; 5]), frame(3, 0, &[0; 4])], None),
    ];
    for (frames, expected) in table {
        assert_eq!(offense(&frames), expected, "{frames:?}");
    }
}

proptest! {
    /// Neither the verdict nor the count of frames depends on how the bytes are cut, nor on how many
    /// frames are taken at once.
    #[test]
    fn cuts_change_nothing(
        frames in proptest::collection::vec((0_u8..12, 0_u8..16, 0_usize..40, any::<bool>()), 1..60),
        cuts in proptest::collection::vec((1_usize..30, 1_usize..3), 1..40),
    ) {
        let mut bytes = PREFACE.to_vec();
        for (kind, flags, length, fits) in frames {
            let fixed = match kind { 2 => 5, 3 | 8 => 4, 4 => length / 6 * 6, 6 => 8, _ => length };
            let length = if fits { fixed } else { length };
            bytes.extend_from_slice(&frame(kind, flags, &vec![7; length]));
        }
        // They are repeated often enough that some of them are floods.
        let bytes: Vec<u8> = [PREFACE, &bytes[PREFACE.len()..].repeat(40)].concat();
        let mut whole = Guard::for_client(0);
        let expected = take(&mut whole, &bytes, 0).map(|seen| seen.frames).map_err(|stop| stop.offense);
        let mut pieces = Guard::for_client(0);
        let mut found: Result<usize, Offense> = Ok(0);
        let (mut at, mut cut) = (0, cuts.iter().cycle());
        while at < bytes.len() && let Ok(before) = found {
            let &(length, frames_max) = cut.next().unwrap();
            let piece = pieces.received(&bytes[at..bytes.len().min(at + length)], frames_max, 0);
            found = match piece {
                Ok(seen) => {
                    prop_assert!(seen.bytes > 0);
                    at += seen.bytes;
                    Ok(before + seen.frames)
                }
                Err(stop) => Err(stop.offense),
            };
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(pieces.settings_seen(), whole.settings_seen());
    }
}
