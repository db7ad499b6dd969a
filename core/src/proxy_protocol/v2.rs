//! Version 2 of the header, which is binary (section 2.2).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{HEADER_BYTES_MAX, Header, HeaderFault};

/// The first 12 bytes.
pub(crate) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The length of the fixed part: signature, version and command, family and protocol, and length.
const BEGIN_BYTES: usize = 16;
/// The type of the TLV with the checksum, `PP2_TYPE_CRC32C`. The checksum covers the whole header, with the
/// four bytes of the checksum taken as zero.
const CRC32C: u8 = 0x03;

/// Reads a header that begins with [`SIGNATURE`] or a part of it, by the contract of [`super::parse`].
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, HeaderFault> {
    // A wrong byte is refused as soon as it has come. The parser does not wait for the bytes behind it.
    if let Some(byte) = bytes.get(12) {
        if byte >> 4 != 2 {
            return Err(HeaderFault::Version(byte >> 4));
        }
        if byte & 15 > 1 {
            return Err(HeaderFault::Command(byte & 15));
        }
    }
    let Some((begin, rest)) = bytes.split_at_checked(BEGIN_BYTES) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([begin[14], begin[15]]));
    if BEGIN_BYTES + length > HEADER_BYTES_MAX {
        return Err(HeaderFault::Long(length));
    }
    let is_local = begin[12] == 0x20;
    let address_bytes = match begin[13] {
        // After LOCAL, and with an unspecified family, a receiver must skip the rest of the header.
        _ if is_local => 0,
        0x00 => 0,
        0x11 => 12,
        0x21 => 36,
        0x31 => 216,
        other => return Err(HeaderFault::Family(other)),
    };
    if length < address_bytes {
        return Err(HeaderFault::Short(length));
    }
    let Some(content) = rest.get(..length) else { return Ok(None) };
    let whole = &bytes[..BEGIN_BYTES + length];
    let (addresses, tlvs) = content.split_at(address_bytes);
    let header = match (is_local, begin[13]) {
        (false, 0x11) => Header::Proxied { source: v4(addresses, 0, 8), destination: v4(addresses, 4, 10) },
        (false, 0x21) => Header::Proxied { source: v6(addresses, 0, 32), destination: v6(addresses, 16, 34) },
        // Unix sockets have no address that an origin could use.
        _ => Header::Local,
    };
    if !is_local && begin[13] != 0x00 {
        walk(whole, tlvs)?;
    }
    Ok(Some((header, whole.len())))
}

fn port(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn v4(bytes: &[u8], address: usize, at: usize) -> SocketAddr {
    let mut octets = [0; 4];
    octets.copy_from_slice(&bytes[address..address + 4]);
    (Ipv4Addr::from(octets), port(bytes, at)).into()
}

fn v6(bytes: &[u8], address: usize, at: usize) -> SocketAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&bytes[address..address + 16]);
    (Ipv6Addr::from(octets), port(bytes, at)).into()
}

/// Checks the TLVs. Each must fit into the header, whether its type is known or not. The checksum is the only
/// TLV whose value is read.
fn walk(whole: &[u8], mut tlvs: &[u8]) -> Result<(), HeaderFault> {
    while !tlvs.is_empty() {
        let (head, rest) = tlvs.split_at_checked(3).ok_or(HeaderFault::Tlv)?;
        let length = usize::from(u16::from_be_bytes([head[1], head[2]]));
        let (value, rest) = rest.split_at_checked(length).ok_or(HeaderFault::Tlv)?;
        if head[0] == CRC32C {
            let said: [u8; 4] = value.try_into().map_err(|_| HeaderFault::Tlv)?;
            let at = whole.len() - rest.len() - value.len();
            let mut sum = Crc32c::default();
            sum.add(&whole[..at]);
            sum.add(&[0; 4]);
            sum.add(&whole[at + value.len()..]);
            if sum.value() != u32::from_be_bytes(said) {
                return Err(HeaderFault::Checksum);
            }
        }
        tlvs = rest;
    }
    Ok(())
}

/// A CRC-32C (Castagnoli). It is computed bit by bit. That is fast enough, because a header is short and a
/// connection has only one.
pub(crate) struct Crc32c(u32);

impl Default for Crc32c {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc32c {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                let carry = self.0 & 1;
                self.0 = (self.0 >> 1) ^ (0x82f6_3b78 * carry);
            }
        }
    }

    pub(crate) fn value(&self) -> u32 {
        !self.0
    }
}
