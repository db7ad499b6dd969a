//! Rules for the texts in a body. The OpenAPI document states the same rules.

use std::time::Duration;

use super::problem::{Kind, Problem};

/// The longest text in a body (a version, an image, a release, a reason), in characters.
const TEXT_CHARS_MAX: usize = 255;

/// Checks a text, which has 1 to 255 characters and no control characters.
pub(crate) fn text(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let count = value.chars().count();
    // The control characters are C0 and DEL, as in the pattern of the OpenAPI document.
    if count == 0 || count > TEXT_CHARS_MAX || value.chars().any(|char| char.is_ascii_control()) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("{name} has to have 1 to {TEXT_CHARS_MAX} characters and no control characters"),
        ));
    }
    Ok(Some(value))
}

/// Reads a duration above zero, such as `90s` or `1h30m`. Days, hours, minutes, seconds and milliseconds
/// stand in this order, each at most once. The number of digits is limited, so that nothing overflows and
/// the end of every pin has a date with a year of four digits.
pub(crate) fn duration(name: &str, value: Option<&str>) -> Result<Option<Duration>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let parsed = is_duration(value).then(|| humantime::parse_duration(value).ok()).flatten();
    parsed.map(Some).ok_or_else(|| {
        Problem::new(
            Kind::BadRequest,
            format!("{name} has to be a duration above zero such as \"90s\", \"30m\" or \"1h30m\", at most 999 days"),
        )
    })
}

/// The units, with the largest number of digits of each. The pattern in the OpenAPI document states the
/// same.
const UNITS: [(&str, usize); 5] = [("d", 3), ("h", 4), ("m", 6), ("s", 8), ("ms", 9)];
fn is_duration(value: &str) -> bool {
    let mut units = UNITS.iter();
    let mut rest = value;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_lowercase).count();
        let unit = &rest[digits..digits + letters];
        let known = units.any(|(name, digits_max)| *name == unit && (1..=*digits_max).contains(&digits));
        if !known || rest.starts_with('0') {
            return false;
        }
        rest = &rest[digits + letters..];
    }
    !value.is_empty()
}

#[cfg(test)]
mod tests;
