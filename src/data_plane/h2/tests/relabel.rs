//! The names that are changed in the answers to extended CONNECT.

use crate::data_plane::h2::relabel::Relabel;

const TUNNEL: u32 = 3;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The same bytes, cut at every place, after they were looked at.
fn looked_at(bytes: &[u8]) -> Vec<u8> {
    let mut whole = bytes.to_vec();
    let relabel = Relabel::default();
    relabel.begin(TUNNEL);
    relabel.received(&mut whole);
    for cut in 0..bytes.len() {
        let mut parts = bytes.to_vec();
        let relabel = Relabel::default();
        relabel.begin(TUNNEL);
        let (head, tail) = parts.split_at_mut(cut);
        relabel.received(head);
        relabel.received(tail);
        assert_eq!(parts, whole, "cut at {cut}");
    }
    whole
}

/// Header blocks (RFC 7541, 6), each with the bytes that h2 reads in its place.
fn blocks() -> Vec<(Vec<u8>, Vec<u8>)> {
    let literal = |name: &[u8]| [&[0, u8::try_from(name.len()).unwrap()][..], name, b"\x010"].concat();
    let coded =
        |name: &[u8]| [&[0x10, 0x80 | u8::try_from(name.len()).unwrap()][..], name, b"\x010"].concat();
    let length = [0x21, 0xea, 0x49, 0x6a, 0x4a, 0xd4, 0x16, 0xa9, 0x93, 0x3f];
    let lengtg = [0x21, 0xea, 0x49, 0x6a, 0x4a, 0xd4, 0x16, 0xa9, 0x93, 0x37];
    let mut blocks = vec![
        (b"\x0f\x0d\x010".to_vec(), b"\x0f\x1b\x010".to_vec()),
        (b"\x1f\x0d\x0212".to_vec(), b"\x1f\x1b\x0212".to_vec()),
        (b"\x5c\x010".to_vec(), b"\x6a\x010".to_vec()),
        (b"\x9c".to_vec(), b"\xaa".to_vec()),
        (b"\x79\x07chunked".to_vec(), b"\x6a\x07chunked".to_vec()),
        (b"\x0f\x2a\x07chunked".to_vec(), b"\x0f\x1b\x07chunked".to_vec()),
        (literal(b"content-length"), literal(b"content-lengtg")),
        (literal(b"transfer-encoding"), literal(b"transfer-encodinh")),
        (coded(&length), coded(&lengtg)),
    ];
    // A value that looks like the name, other names of that length, long names and values, and names of
    // other indexes.
    let long = |mark: u8| [&[mark, 0x7f, 0x80 | 0x49, 0x01][..], &[0x5c; 127 + 0x49 + 128][..]].concat();
    for same in [
        b"\x88".to_vec(),
        b"\x20\x0f\x10\x02\x5c\x5c".to_vec(),
        literal(b"content-lengts"),
        literal(b"content-languag"),
        [&[0, 3][..], b"abc\x0econtent-length"].concat(),
        [long(0), vec![0]].concat(),
        [&b"\x00\x01a"[..], &long(0)[1..]].concat(),
        b"\x7f\x80\x01\x010".to_vec(),
        b"\xff\x9c\x1c".to_vec(),
        b"\x3f\xe1\x1f".to_vec(),
        b"\x0f\x0c\x010".to_vec(),
    ] {
        blocks.push((same.clone(), same));
    }
    blocks
}

#[test]
fn the_fields_of_a_tunnel_get_other_names_in_every_form() {
    for (block, expected) in blocks() {
        for (end_block, end) in blocks() {
            let (before, after) = ([&block[..], &end_block].concat(), [&expected[..], &end].concat());
            let bytes = frame(1, 4, TUNNEL, &before);
            assert_eq!(looked_at(&bytes), frame(1, 4, TUNNEL, &after), "{before:x?}");
        }
    }
}

#[test]
fn padding_priority_and_continuations_are_followed() {
    let (block, expected) = (b"\x88\x0f\x0d\x010", b"\x88\x0f\x1b\x010");
    let padded = |block: &[u8]| {
        frame(1, 4 | 8 | 0x20, TUNNEL, &[&b"\x03\x5c\x5c\x5c\x5c\x5c"[..], block, b"\x5c\x5c\x5c"].concat())
    };
    assert_eq!(looked_at(&padded(block)), padded(expected));
    for cut in 0..=block.len() {
        let cut_up = |block: &[u8]| {
            [
                frame(1, 0, TUNNEL, &block[..cut]),
                frame(9, 4, TUNNEL, &block[cut..]),
                frame(0, 0, TUNNEL, block),
            ]
            .concat()
        };
        let expected = [cut_up(expected)[..18 + block.len()].to_vec(), frame(0, 0, TUNNEL, block)].concat();
        assert_eq!(looked_at(&cut_up(block)), expected, "cut at {cut}");
    }
}

#[test]
fn other_streams_keep_their_fields() {
    let bytes =
        [frame(1, 4, 5, b"\x0f\x0d\x010"), frame(8, 0, 0, &[0; 4]), frame(1, 4, 1, b"\x5c\x010")].concat();
    assert_eq!(looked_at(&bytes), bytes);
    let relabel = Relabel::default();
    relabel.begin(TUNNEL);
    relabel.end(TUNNEL);
    let mut ended = frame(1, 4, TUNNEL, b"\x0f\x0d\x010");
    relabel.received(&mut ended);
    assert_eq!(ended, frame(1, 4, TUNNEL, b"\x0f\x0d\x010"));
}
