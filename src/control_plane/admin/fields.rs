//! What a text in a body may be; the OpenAPI document says the same.

use std::time::Duration;

use super::problem::{Kind, Problem};

/// The longest text in a body (a version, an image, a release, a reason), in characters.
const TEXT_CHARS_MAX: usize = 255;

/// A text of 1 to 255 characters without control characters.
pub(crate) fn text(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
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

/// A duration above zero: `90s`, `1h30m`. Days, hours, minutes, seconds and milliseconds in this
/// order, each at most once and of so many digits that nothing overflows and every end of a pin has
/// a date with a year of four digits.
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

/// The units and how many digits each may have; the pattern in the OpenAPI document says the same.
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
