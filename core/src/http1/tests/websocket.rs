use proptest::prelude::*;

use crate::http1::{CLOSE_GOING_AWAY, FrameScanner, write_close};

/// A frame with a payload of `length` zero bytes. The length is written in its shortest form.
fn frame(opcode: u8, length: usize, masked: bool) -> Vec<u8> {
    let mut bytes = vec![opcode];
    let mask = if masked { 0x80 } else { 0 };
    match length {
        0..=125 => bytes.push(mask | u8::try_from(length).unwrap()),
        126..=0xffff => {
            bytes.push(mask | 0x7e);
            bytes.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(mask | 0x7f);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if masked {
        bytes.extend_from_slice(&[1, 2, 3, 4]);
    }
    bytes.resize(bytes.len() + length, 0);
    bytes
}

#[test]
fn a_close_is_written_plain_and_masked() {
    let mut out = Vec::new();
    write_close(CLOSE_GOING_AWAY, None, &mut out);
    assert_eq!(out, [0x88, 2, 0x03, 0xe9]);
    out.clear();
    write_close(CLOSE_GOING_AWAY, Some([0xff, 1, 2, 3]), &mut out);
    assert_eq!(out, [0x88, 0x82, 0xff, 1, 2, 3, 0xfc, 0xe8]);
}

#[test]
fn a_close_is_seen_and_a_payload_like_one_is_not() {
    let mut scanner = FrameScanner::default();
    let mut text = frame(0x81, 4, true);
    text[6] = 0x88;
    scanner.advance(&text);
    assert!(!scanner.has_closed() && scanner.at_boundary());
    scanner.advance(&frame(0x88, 2, true)[..3]);
    assert!(!scanner.has_closed() && !scanner.at_boundary());
    scanner.advance(&frame(0x88, 2, true)[3..]);
    assert!(scanner.has_closed() && scanner.at_boundary());
}

#[test]
fn a_boundary_is_found_inside_of_read_bytes() {
    let mut scanner = FrameScanner::default();
    assert_eq!(scanner.advance_to_boundary(&frame(0x82, 5, false)), Some(0), "it stands at one");
    let (one, two) = (frame(0x02, 300, false), frame(0x80, 1, false));
    scanner.advance(&one[..100]);
    let rest = [&one[100..], &two].concat();
    assert_eq!(scanner.advance_to_boundary(&rest), Some(one.len() - 100));
    let mut scanner = FrameScanner::default();
    scanner.advance(&one[..1]);
    assert_eq!(scanner.advance_to_boundary(&one[1..200]), None);
    assert_eq!(scanner.advance_to_boundary(&one[200..]), Some(one.len() - 200));
}

proptest! {
    /// The scanner finds the same boundaries for every cut of the bytes.
    #[test]
    fn boundaries_do_not_depend_on_the_pieces(
        frames in prop::collection::vec((0_usize..70_000, any::<bool>()), 1..5),
        cuts in prop::collection::vec(1_usize..5000, 1..40),
    ) {
        let frames: Vec<_> = frames.iter().map(|&(length, masked)| frame(0x82, length, masked)).collect();
        let ends: Vec<usize> =
            frames.iter().scan(0, |end, frame| { *end += frame.len(); Some(*end) }).collect();
        let bytes = frames.concat();
        let mut scanner = FrameScanner::default();
        let mut at = 0;
        for cut in cuts.iter().cycle() {
            let to = (at + cut).min(bytes.len());
            scanner.advance(&bytes[at..to]);
            at = to;
            prop_assert_eq!(scanner.at_boundary(), ends.contains(&at), "after {} bytes", at);
            if at == bytes.len() {
                break;
            }
        }
    }
}
