//! Numbers and addresses as text. The functions avoid the formatting code of the standard library where
//! they can, because it costs more than the rest of a head.

use std::io::Write;
use std::net::IpAddr;

/// Appends `number` in decimal.
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

/// Appends an address. IPv6 has the short form of RFC 5952 and no brackets.
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
