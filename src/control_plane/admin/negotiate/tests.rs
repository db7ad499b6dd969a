#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn html_is_for_clients_that_prefer_it() {
    let html = |accept: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        wants_html(&headers)
    };
    // The header that a browser sends.
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
