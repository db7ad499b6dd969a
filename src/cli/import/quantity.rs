//! Durations and sizes, as compose and HAProxy write them.

use std::time::Duration;

/// A duration of compose: `1m30s`, `10s`, `500ms`. A bare number is seconds.
pub(crate) fn compose_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.len() > 32 {
        return None;
    }
    match text.parse::<u32>() {
        Ok(seconds) => Some(Duration::from_secs(seconds.into())),
        Err(_) => humantime::parse_duration(text).ok(),
    }
}

/// A duration of HAProxy. A bare number is milliseconds (configuration manual, section 2.5).
pub(crate) fn haproxy_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.len() > 16 {
        return None;
    }
    match text.parse::<u32>() {
        Ok(milliseconds) => Some(Duration::from_millis(milliseconds.into())),
        Err(_) => humantime::parse_duration(text).ok(),
    }
}

/// A size of compose in bytes: `512m`, `1.5g`, `64kb`. A bare number is bytes.
pub(crate) fn compose_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        _ => return None,
    };
    let bytes = number * f64::from(1_u32 << shift);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    (bytes.is_finite() && (0.0..9e15).contains(&bytes)).then_some(bytes as u64)
}

/// A size in greenlight's spelling, in the largest unit that divides it.
pub(crate) fn show_bytes(bytes: u64) -> String {
    match [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .iter()
        .find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit))
    {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// A duration in greenlight's spelling, such as `1m30s` and `250ms`.
pub(crate) fn show_duration(duration: Duration) -> String {
    let shown = humantime::format_duration(Duration::from_millis(
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    ));
    shown.to_string().replace(' ', "")
}
