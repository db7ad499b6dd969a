//! The value of the `Date` field in greenlight's own answers (RFC 9110, 5.6.7). The worker writes it
//! once a second.

use std::cell::Cell;
use std::time::SystemTime;

/// A date in ASCII, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) type HttpDate = [u8; 29];

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The date that the worker wrote last.
#[derive(Debug)]
pub(crate) struct DateLine(Cell<HttpDate>);

impl DateLine {
    pub(crate) fn new(wall: SystemTime) -> Self {
        Self(Cell::new(format(wall)))
    }

    pub(crate) fn set(&self, wall: SystemTime) {
        self.0.set(format(wall));
    }

    pub(crate) fn get(&self) -> HttpDate {
        self.0.get()
    }
}

/// Formats a time. A time before 1970 becomes the first second of 1970. Of a year after 9999 only the
/// last four digits appear.
pub(crate) fn format(wall: SystemTime) -> HttpDate {
    let seconds = wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = seconds / 86_400;
    let (year, month, day) = civil(days);
    let of_day = seconds % 86_400;
    let mut out = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    out[..3].copy_from_slice(DAYS[usize::try_from(days % 7).unwrap_or(0)]);
    two(&mut out[5..7], day);
    out[8..11].copy_from_slice(MONTHS[usize::try_from(month - 1).unwrap_or(0) % 12]);
    two(&mut out[12..14], year / 100);
    two(&mut out[14..16], year);
    two(&mut out[17..19], of_day / 3600);
    two(&mut out[20..22], of_day / 60 % 60);
    two(&mut out[23..25], of_day % 60);
    out
}

fn two(out: &mut [u8], number: u64) {
    out[0] = digit(number / 10);
    out[1] = digit(number);
}

fn digit(number: u64) -> u8 {
    b'0' + u8::try_from(number % 10).unwrap_or(0)
}

/// Year, month and day of a number of days since 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms"). Its years begin in March, so that the leap day is the last day of a year.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}
