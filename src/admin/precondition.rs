//! `If-Match`: "<epoch>", "r<revision>" or *.

use axum::http::{HeaderMap, header};

use crate::controller::Precondition;

use super::problem::{Kind, Problem};

/// What the header asks for; `*` and no header ask for nothing. A list or a weak tag is refused
/// rather than half understood.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Precondition>, Problem> {
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
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(value: &str) -> Result<Option<Precondition>, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, value.parse().unwrap());
        if_match(&headers)
    }

    #[test]
    fn what_it_takes() {
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(parse("*").unwrap(), None);
        assert_eq!(parse("\"7\"").unwrap(), Some(Precondition::Epoch(7)));
        assert_eq!(parse("\"r41\"").unwrap(), Some(Precondition::Revision(41)));
    }

    #[test]
    fn what_it_refuses() {
        for bad in [
            "7",
            "r7",
            "W/\"7\"",
            "\"\"",
            "\"r\"",
            "\"+7\"",
            "\"7\", \"8\"",
            "\"99999999999999999999\"",
            "\"",
        ] {
            assert_eq!(parse(bad).unwrap_err().status, 400, "{bad}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::IF_MATCH, "\"7\"".parse().unwrap());
        twice.append(header::IF_MATCH, "\"8\"".parse().unwrap());
        assert_eq!(if_match(&twice).unwrap_err().status, 400);
    }
}
