//! Durations in three forms: as a person types them, as the API accepts them, and as a clock shows them.

use std::time::Duration;

/// The longest duration that the API accepts.
const LONGEST: Duration = Duration::from_hours(999 * 24);

/// Parses a duration that a person typed, such as `90s`, `1h30m` or `2d`. It must be at least 1 ms and at
/// most 999 days. The error is a sentence for that person.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.as_millis() > 0 && duration <= LONGEST => Ok(duration),
        _ => Err("it has to be a duration such as 90s, 30m or 1h30m, above zero and at most 999d".into()),
    }
}

/// A duration in the form that the API accepts: `5400s`, `2d1ms`.
pub(super) fn api(duration: Duration) -> String {
    let days = duration.as_secs() / 86_400;
    let parts =
        [(days, "d"), (duration.as_secs() % 86_400, "s"), (u64::from(duration.subsec_millis()), "ms")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    parts.collect::<Vec<_>>().concat()
}

/// A duration as a clock shows it: `4:07`, `1:02:03`.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// The time from one RFC 3339 timestamp to another, zero if `to` is earlier. `None` if one of them can't be
/// parsed.
pub(super) fn between(from: &str, to: &str) -> Option<Duration> {
    let parse = |time: &str| humantime::parse_rfc3339_weak(time).ok();
    Some(parse(to)?.duration_since(parse(from)?).unwrap_or_default())
}
