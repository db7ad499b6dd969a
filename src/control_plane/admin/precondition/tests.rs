#![allow(clippy::unwrap_used)]

use super::*;

fn parse(value: &str) -> Result<Option<Precondition>, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(header::IF_MATCH, value.parse().unwrap());
    if_match(&headers)
}

#[test]
fn an_epoch_a_revision_or_a_star_is_taken() {
    assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
    assert_eq!(parse("*").unwrap(), None);
    assert_eq!(parse("\"7\"").unwrap(), Some(Precondition::Epoch(7)));
    assert_eq!(parse("\"r41\"").unwrap(), Some(Precondition::Revision(41)));
}

#[test]
fn any_other_if_match_is_refused() {
    for bad in
        ["7", "r7", "W/\"7\"", "\"\"", "\"r\"", "\"+7\"", "\"7\", \"8\"", "\"99999999999999999999\"", "\""]
    {
        assert_eq!(parse(bad).unwrap_err().status, 400, "{bad}");
    }
    let mut twice = HeaderMap::new();
    twice.append(header::IF_MATCH, "\"7\"".parse().unwrap());
    twice.append(header::IF_MATCH, "\"8\"".parse().unwrap());
    assert_eq!(if_match(&twice).unwrap_err().status, 400);
}
