//! What a text in a body may be; the OpenAPI document says the same.

use std::time::Duration;

use super::problem::{Kind, Problem};

/// The longest text in a body (a version, an image, a release, a reason), in characters.
const TEXT_CHARS_MAX: usize = 255;
/// The longest duration's text.
const DURATION_CHARS_MAX: usize = 64;

/// A text of 1 to 255 characters without control characters.
pub(super) fn text(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let count = value.chars().count();
    // C0 and DEL, as the pattern in the OpenAPI document has it.
    if count == 0 || count > TEXT_CHARS_MAX || value.chars().any(|char| char.is_ascii_control()) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("{name} has to have 1 to {TEXT_CHARS_MAX} characters and no control characters"),
        ));
    }
    Ok(Some(value))
}

/// A duration: whole numbers above zero with a unit each, `90s`, `1h30m`; the units are ms, s,
/// m, h and d.
pub(super) fn duration(name: &str, value: Option<&str>) -> Result<Option<Duration>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let parsed = is_duration(value).then(|| humantime::parse_duration(value).ok()).flatten();
    parsed.map(Some).ok_or_else(|| {
        Problem::new(
            Kind::BadRequest,
            format!("{name} has to be a duration above zero such as \"90s\", \"30m\" or \"1h30m\""),
        )
    })
}

/// `^([1-9][0-9]{0,6}(ms|s|m|h|d))+$`, the pattern in the OpenAPI document.
fn is_duration(value: &str) -> bool {
    if value.is_empty() || value.len() > DURATION_CHARS_MAX {
        return false;
    }
    let mut rest = value;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 7 || rest.starts_with('0') {
            return false;
        }
        rest = &rest[digits..];
        let Some(unit) = ["ms", "s", "m", "h", "d"].iter().find(|unit| rest.starts_with(**unit)) else {
            return false;
        };
        rest = &rest[unit.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn durations() {
        let good = [("90s", 90_000), ("1h30m", 5_400_000), ("250ms", 250), ("2d", 172_800_000)];
        for (text, millis) in good {
            assert_eq!(duration("for", Some(text)).unwrap(), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "0s", "1", "s", "-1s", "1 h", "1.5h", "01s", "12345678s", "1w", "1h 30m", "١s"] {
            assert!(duration("for", Some(text)).is_err(), "{text}");
        }
        assert_eq!(duration("for", None).unwrap(), None);
    }

    #[test]
    fn texts() {
        let long = "x".repeat(256);
        for bad in ["", "a\nb", "\u{7f}", long.as_str()] {
            assert!(text("version", Some(bad.to_owned())).is_err(), "{bad:?}");
        }
        let exact = "é".repeat(255);
        assert_eq!(text("version", Some(exact.clone())).unwrap(), Some(exact));
    }
}
