//! Numbers and addresses as text. Digits are written by hand, because the standard library's formatting
//! would cost more than writing the rest of a head. Only an IPv6 address is left to the standard library.

use std::io::Write;
use std::net::IpAddr;

/// Appends `number` to `out` in decimal digits.
pub(crate) fn write_decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends an address to `out`. An IPv6 address is written in the short form of RFC 5952, without
/// brackets.
pub(crate) fn write_address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(v4) => {
            for (at, octet) in v4.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                write_decimal(u64::from(octet), out);
            }
        }
        IpAddr::V6(v6) => {
            // Writing to a Vec can't fail.
            let _ = write!(out, "{v6}");
        }
    }
}
