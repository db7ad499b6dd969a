//! The header `If-Match`, which is `"<epoch>"`, `"r<revision>"` or `*`.

use axum::http::{HeaderMap, header};

use crate::control_plane::controller::Precondition;

use super::problem::{Kind, Problem};

/// The condition of the header. `*`, and a request without the header, set no condition. A list or a weak
/// tag is refused, because the program would understand only a part of it.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<Precondition>, Problem> {
    let wrong = || {
        Problem::new(
            Kind::BadRequest,
            "If-Match has to be one of \"<epoch>\", \"r<revision>\" (with the quotes) and *",
        )
    };
    let mut values = headers.get_all(header::IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(wrong());
    }
    let text = value.to_str().map_err(|_| wrong())?.trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(wrong)?;
    let (digits, is_revision) = match tag.strip_prefix('r') {
        Some(digits) => (digits, true),
        None => (tag, false),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number = digits.parse().map_err(|_| wrong())?;
    Ok(Some(if is_revision { Precondition::Revision(number) } else { Precondition::Epoch(number) }))
}

#[cfg(test)]
mod tests;
