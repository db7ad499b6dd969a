#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;

use super::{HEADER_BYTES_MAX, Header, HeaderFault, parse};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn proxied(source: &str, destination: &str) -> Header {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    Header::Proxied { source: address(source), destination: address(destination) }
}

fn v2(command: u8, family: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[0x20 | command, family], &length, content].concat()
}

fn v4_content() -> Vec<u8> {
    vec![192, 0, 2, 1, 198, 51, 100, 7, 0x30, 0x39, 0x01, 0xbb]
}

/// Good headers, each with its content.
fn good() -> Vec<(Vec<u8>, Header)> {
    let v4 = proxied("192.0.2.1:12345", "198.51.100.7:443");
    let mut v6 = [0; 36];
    v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    v6[15] = 1;
    v6[16..20].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    v6[31] = 2;
    v6[32..].copy_from_slice(&[0, 80, 0x1f, 0x90]);
    let with_tlvs = [v4_content(), vec![0x02, 0, 3, b'a', b'.', b'b', 0xea, 0, 0]].concat();
    vec![
        (b"PROXY TCP4 192.0.2.1 198.51.100.7 12345 443\r\n".to_vec(), v4),
        (
            b"PROXY TCP6 2001:db8::1 2001:db8::2 80 8080\r\n".to_vec(),
            proxied("[2001:db8::1]:80", "[2001:db8::2]:8080"),
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), Header::Local),
        (b"PROXY UNKNOWN ff:ff anything 1\r\n".to_vec(), Header::Local),
        (v2(1, 0x11, &v4_content()), v4),
        (v2(1, 0x11, &with_tlvs), v4),
        (v2(1, 0x21, &v6), proxied("[2001:db8::1]:80", "[2001:db8::2]:8080")),
        (v2(1, 0x31, &[0; 216]), Header::Local),
        (v2(1, 0x00, b"whatever"), Header::Local),
        (v2(0, 0x00, b""), Header::Local),
        (v2(0, 0x11, b"no addresses"), Header::Local),
    ]
}

#[test]
fn every_kind_of_header_is_read_and_no_byte_behind_it() {
    for (bytes, header) in good() {
        assert_eq!(parse(&bytes), Ok(Some((header, bytes.len()))), "{bytes:?}");
        let more = [&bytes[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(parse(&more), Ok(Some((header, bytes.len()))), "{bytes:?}");
    }
}

#[test]
fn a_part_of_a_header_is_never_more_than_a_part() {
    for (bytes, _) in good() {
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), Ok(None), "{cut} of {bytes:?}");
        }
    }
}

#[test]
fn strangers_are_refused_at_their_first_wrong_byte() {
    for bytes in [&b"G"[..], b"PROXI", b"PROXY\t", b"\r\n\r\n\r", b"\x16", b"\0"] {
        assert_eq!(parse(bytes), Err(HeaderFault::Missing), "{bytes:?}");
        assert_eq!(parse(&bytes[..bytes.len() - 1]), Ok(None), "{bytes:?}");
    }
}

#[test]
fn lines_that_are_nearly_right_are_refused() {
    let lines = [
        "PROXY TCP4 192.0.2.1 198.51.100.7 12345\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 12345 443 \r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.7 12345 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 12345 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 012 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 +1 443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.7 1 443\r\n",
        "PROXY TCP4 2001:db8::1 198.51.100.7 1 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.7 1 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.7 1 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.7 1 443\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 12345 443\n",
        "PROXY TCP4 192.0.2.1\r 198.51.100.7 12345 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 12345 443\0\r\n",
    ];
    for line in lines {
        assert_eq!(parse(line.as_bytes()), Err(HeaderFault::Line), "{line:?}");
    }
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
    assert_eq!(parse(long.as_bytes()), Err(HeaderFault::LongLine));
    assert_eq!(parse(&long.as_bytes()[..106]), Ok(None));
}

#[test]
fn binary_headers_that_are_nearly_right_are_refused() {
    let mut version = v2(1, 0x11, &v4_content());
    version[12] = 0x31;
    assert_eq!(parse(&version[..13]), Err(HeaderFault::Version(3)));
    assert_eq!(parse(&v2(2, 0x11, &v4_content())[..13]), Err(HeaderFault::Command(2)));
    for family in [0x12, 0x22, 0x32, 0x10, 0x41, 0xff] {
        assert_eq!(parse(&v2(1, family, &[0; 216])), Err(HeaderFault::Family(family)));
    }
    assert_eq!(parse(&v2(1, 0x11, &[0; 11])), Err(HeaderFault::Short(11)));
    assert_eq!(parse(&v2(1, 0x21, &[0; 35])), Err(HeaderFault::Short(35)));
    let long = v2(1, 0x11, &vec![0; HEADER_BYTES_MAX - 15]);
    assert_eq!(parse(&long[..16]), Err(HeaderFault::Long(HEADER_BYTES_MAX - 15)));
    for tail in [&[1][..], &[1, 0], &[1, 0, 1], &[0x20, 0xff, 0xff, 0]] {
        assert_eq!(parse(&v2(1, 0x11, &[&v4_content()[..], tail].concat())), Err(HeaderFault::Tlv));
    }
}

#[test]
fn a_checksum_is_verified() {
    let sum = |bytes: &[u8]| {
        let mut sum = super::v2::Crc32c::default();
        sum.add(bytes);
        sum.value()
    };
    assert_eq!(sum(b"123456789"), 0xe306_9283, "the check value of CRC-32C");
    let mut header = v2(1, 0x11, &[&v4_content()[..], &[0x03, 0, 4, 0, 0, 0, 0, 0x04, 0, 1, 0]].concat());
    let value = sum(&header).to_be_bytes();
    let at = header.len() - 8;
    header[at..at + 4].copy_from_slice(&value);
    assert!(matches!(parse(&header), Ok(Some((Header::Proxied { .. }, _)))));
    header[16] ^= 1;
    assert_eq!(parse(&header), Err(HeaderFault::Checksum));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic_and_bytes_behind_a_header_never_change_it(
        kind in 0..3_usize,
        tail in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
    ) {
        let begin: &[u8] = [&b"PROXY "[..], SIGNATURE, b""][kind];
        let bytes = [begin, &tail].concat();
        if let Ok(Some((header, length))) = parse(&bytes) {
            proptest::prop_assert!(length <= bytes.len());
            proptest::prop_assert_eq!(parse(&bytes[..length]), Ok(Some((header, length))));
            proptest::prop_assert_eq!(parse(&bytes[..length - 1]), Ok(None));
        }
    }
}
