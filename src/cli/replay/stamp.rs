//! Reads times as logs write them, and gives milliseconds since 1970.

/// Days from 1970-01-01 to a date of the Gregorian calendar (H. Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms", `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn two(text: &[u8], at: usize) -> Option<i64> {
    digits(text, at, 2)
}

fn digits(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let text = text.get(at..at + count)?;
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

fn is(text: &[u8], at: usize, byte: u8) -> Option<()> {
    (text.get(at) == Some(&byte)).then_some(())
}

/// Reads `12:00:01` at the offset `at`, and gives the seconds since midnight. A leap second (`:60`) counts as
/// second 59.
fn clock(text: &[u8], at: usize) -> Option<i64> {
    is(text, at + 2, b':')?;
    is(text, at + 5, b':')?;
    let (hours, minutes, seconds) = (two(text, at)?, two(text, at + 3)?, two(text, at + 6)?);
    (hours < 24 && minutes < 60 && seconds <= 60).then(|| hours * 3600 + minutes * 60 + seconds.min(59))
}

/// Reads `.123456` at the offset `at`, and gives the whole milliseconds and the offset after the fraction.
/// Without a fraction it gives 0 milliseconds.
fn fraction(text: &[u8], at: usize) -> (i64, usize) {
    if text.get(at) != Some(&b'.') {
        return (0, at);
    }
    let rest = &text[at + 1..];
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let place = |index: usize| if index < count { i64::from(rest[index] - b'0') } else { 0 };
    (place(0) * 100 + place(1) * 10 + place(2), at + 1 + count)
}

/// Reads `+02:00` or `+0200`, and gives the seconds east of UTC. `Z` is 0.
fn zone(text: &[u8]) -> Option<i64> {
    let sign = match text.first()? {
        b'Z' | b'z' => return (text.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let minutes_at = if text.get(3) == Some(&b':') { 4 } else { 3 };
    (text.len() == minutes_at + 2).then_some(())?;
    Some(sign * (two(text, 1)? * 3600 + two(text, minutes_at)? * 60))
}

/// A date as seconds since 1970.
fn date(year: i64, month: i64, day: i64) -> Option<i64> {
    ((1..=12).contains(&month) && (1..=31).contains(&day) && (1970..=9999).contains(&year))
        .then(|| days(year, month, day) * 86_400)
}

/// Reads `2026-11-24T12:00:01.123Z`, or the same with an offset (RFC 3339, section 5.6), and gives
/// milliseconds since 1970. `None` if the text is no such time.
pub fn rfc3339_millis(text: &[u8]) -> Option<i64> {
    is(text, 4, b'-')?;
    is(text, 7, b'-')?;
    matches!(text.get(10), Some(b'T' | b't' | b' ')).then_some(())?;
    let date = date(digits(text, 0, 4)?, two(text, 5)?, two(text, 8)?)?;
    let seconds = date + clock(text, 11)?;
    let (millis, end) = fraction(text, 19);
    Some((seconds - zone(text.get(end..)?)?) * 1000 + millis)
}

/// Reads `24/Nov/2026:12:00:01`, and gives milliseconds since 1970. `.123` (HAProxy) or ` +0100` (combined)
/// may follow. A time without a zone is taken for UTC.
pub(crate) fn common_millis(text: &[u8]) -> Option<i64> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    is(text, 2, b'/')?;
    is(text, 6, b'/')?;
    is(text, 11, b':')?;
    let name = text.get(3..6)?;
    let month = MONTHS.chunks(3).position(|month| month == name)?;
    let month = i64::try_from(month).ok()? + 1;
    let seconds = date(digits(text, 7, 4)?, month, two(text, 0)?)? + clock(text, 12)?;
    let (millis, end) = fraction(text, 20);
    let east = match text.get(end..) {
        None | Some([]) => 0,
        Some([b' ', rest @ ..]) => zone(rest)?,
        Some(_) => return None,
    };
    Some((seconds - east) * 1000 + millis)
}
