//! Durations and sizes.

use std::time::Duration;

use crate::config::quantity::{Size, parse_duration, parse_size, show_duration};

#[test]
fn durations() {
    for (text, milliseconds) in [
        ("10s", 10_000),
        ("250ms", 250),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        ("0s", 0),
        ("2d", 172_800_000),
        ("1.5s", 1500),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    for (text, said) in [
        ("", "must be a number with a unit"),
        ("s", "must be a number with a unit"),
        ("10", "\"10s\" or \"10ms\""),
        ("10 sceonds", "unknown unit \"sceonds\""),
        ("-1s", "must be a number with a unit"),
        ("366d", "too long"),
        ("18446744073709551615s 1000000000ns", "too long"),
        ("99999999999999999999999s", "too long"),
        ("0.5ns", "finer than a nanosecond"),
    ] {
        let message = parse_duration(text).unwrap_err();
        assert!(message.contains(said), "{text}: {message}");
    }
}

#[test]
fn a_duration_that_is_shown_can_be_read_back() {
    for duration in [
        Duration::ZERO,
        Duration::from_millis(250),
        Duration::from_mins(90),
        Duration::from_secs(90_061),
        Duration::new(1, 1_002_003),
        Duration::from_hours(365 * 24),
    ] {
        assert_eq!(parse_duration(&show_duration(duration)), Ok(duration), "{}", show_duration(duration));
    }
    assert_eq!(show_duration(Duration::from_hours(24)), "24h");
}

#[test]
fn sizes() {
    for (text, bytes) in
        [("0", 0), ("0B", 0), ("32KiB", 32_768), ("1MiB", 1 << 20), ("7B", 7), (" 1 GiB ", 1 << 30)]
    {
        assert_eq!(parse_size(text), Ok(Size(bytes)), "{text}");
    }
    for (text, said) in [
        ("", "whole number with a unit"),
        ("KiB", "whole number with a unit"),
        ("1024", "needs a unit: \"1024B\""),
        ("32KB", "\"32KiB\" is the nearest"),
        ("32k", "\"32KiB\" is the nearest"),
        ("1.5MiB", "unknown unit"),
        ("17TiB", "too large"),
        ("99999999999999999999999B", "too large"),
        ("-1B", "whole number with a unit"),
        ("1é", "unknown unit"),
    ] {
        let message = parse_size(text).unwrap_err();
        assert!(message.contains(said), "{text}: {message}");
    }
    for (bytes, text) in [(0, "0"), (1, "1B"), (1024, "1KiB"), (1536, "1536B"), (1 << 40, "1TiB")] {
        assert_eq!(Size(bytes).to_string(), text);
    }
}
