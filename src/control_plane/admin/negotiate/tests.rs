#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn who_gets_html() {
    let html = |accept: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        wants_html(&headers)
    };
    // A browser.
    assert!(html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    assert!(html("text/html"));
    assert!(html("text/*, application/json;q=0.5"));
    assert!(!html("*/*"));
    assert!(!html("application/json"));
    assert!(!html("application/json, text/html;q=0.9"));
    assert!(!html("text/html;q=0"));
    assert!(!html("text/html;q=rubbish"));
    assert!(!wants_html(&HeaderMap::new()));
}
