//! Durations and sizes. Both are texts with a unit, because a bare number does not say its unit.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// A size in bytes, written `"32KiB"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size(pub u64);

const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl fmt::Display for Size {
    /// Writes the size in the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0");
        }
        match UNITS.iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes)) {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// Reads `"0"`, or a whole number with B, KiB, MiB, GiB or TiB. The error says what would be right.
pub(super) fn parse_size(text: &str) -> Result<Size, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    if number.is_empty() {
        return Err("must be a whole number with a unit, such as \"32KiB\" (or \"0\")".to_owned());
    }
    let too_large = || "is too large: at most 16TiB".to_owned();
    let count: u64 = number.parse().map_err(|_| too_large())?;
    if unit.is_empty() {
        return if count == 0 {
            Ok(Size(0))
        } else {
            Err(format!("needs a unit: \"{count}B\", \"{count}KiB\" or \"{count}MiB\""))
        };
    }
    let Some((_, bytes)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let meant = UNITS.iter().map(|(name, _)| *name).find(|name| loosely_equal(name, unit));
        return Err(match meant {
            Some(name) => format!(
                "has an unknown unit \"{unit}\": \"{count}{name}\" is the nearest (1KiB is 1024 bytes)"
            ),
            None => format!("has an unknown unit \"{unit}\": B, KiB, MiB, GiB or TiB"),
        });
    };
    count.checked_mul(*bytes).filter(|bytes| *bytes <= 16 << 40).map(Size).ok_or_else(too_large)
}

/// Whether a person who wrote `written` most likely meant `unit`. For example, `kb`, `K`, `KB` and `kib`
/// may all mean KiB. greenlight names that unit in the fault; it does not guess.
fn loosely_equal(unit: &str, written: &str) -> bool {
    let first = |text: &str| text.chars().next().map(|c| c.to_ascii_lowercase());
    let rest = written.get(1..).unwrap_or("?").to_ascii_lowercase();
    first(unit) == first(written) && matches!(rest.as_str(), "" | "b" | "ib" | "ytes")
}

/// The longest duration, a year of 365 days. A timer needs an end that a clock can reach.
pub(super) const DURATION_MAX: Duration = Duration::from_hours(365 * 24);

/// Reads `"10s"`, `"250ms"` or `"1h30m"`. The error says what would be right.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let too_long = || format!("is too long: at most {}", show_duration(DURATION_MAX));
    // humantime adds up without checking for an overflow. Numbers of this length can't overflow it.
    if text.len() > 64 || text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 12) {
        return Err(too_long());
    }
    let duration = humantime::parse_duration(text).map_err(|error| match error {
        humantime::DurationError::UnknownUnit { unit, value, .. } if unit.is_empty() => {
            format!("needs a unit: \"{value}s\" or \"{value}ms\"")
        }
        humantime::DurationError::UnknownUnit { unit, .. } => {
            format!("has an unknown unit \"{unit}\": ms, s, m, h or d, as in \"1h30m\"")
        }
        humantime::DurationError::NumberOverflow => "is finer than a nanosecond or too long".to_owned(),
        _ => "must be a number with a unit, such as \"10s\", \"250ms\" or \"1h30m\"".to_owned(),
    })?;
    if duration > DURATION_MAX { Err(too_long()) } else { Ok(duration) }
}

/// Writes a duration in its one canonical spelling, such as `1h30m` or `250ms`.
pub(super) fn show_duration(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    // humantime would go on to days, months and years, whose lengths are not exact to a reader.
    let seconds = duration.as_secs();
    let mut text = String::new();
    for (count, unit) in [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")] {
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    let nanos = duration.subsec_nanos();
    for (count, unit) in [(nanos / 1_000_000, "ms"), (nanos / 1000 % 1000, "us"), (nanos % 1000, "ns")] {
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    text
}
