#![allow(clippy::unwrap_used)]

use super::*;

fn allowed(host: &str, origin: Option<&str>) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, host.parse().unwrap());
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, origin.parse().unwrap());
    }
    local_only(&Uri::from_static("/v1/services"), &headers, false).is_ok()
}

#[test]
fn hosts_of_this_machine() {
    for host in ["localhost", "LOCALHOST:9900", "localhost.", "127.0.0.1:9900", "127.9.9.9", "[::1]:9900"] {
        assert!(allowed(host, None), "{host}");
    }
}

#[test]
fn hosts_of_others() {
    for host in [
        "example.org",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "10.0.0.1:9900",
        "[::2]",
        "u@localhost",
        "localhost@example.org",
        "",
        "notlocalhost",
    ] {
        assert!(!allowed(host, None), "{host}");
    }
}

#[test]
fn an_origin_is_the_host_itself() {
    assert!(allowed("localhost:9900", Some("http://localhost:9900")));
    for origin in
        ["null", "http://localhost:3000", "https://localhost:9900", "http://example.org", "localhost:9900"]
    {
        assert!(!allowed("localhost:9900", Some(origin)), "{origin}");
    }
}

#[test]
fn an_absolute_target_counts_too() {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, "localhost".parse().unwrap());
    assert!(local_only(&Uri::from_static("http://example.org/v1/services"), &headers, false).is_err());
}

#[test]
fn bearer_tokens() {
    let shown = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        bearer(&headers).map(<[u8]>::to_vec)
    };
    assert_eq!(shown("Bearer abc"), Some(b"abc".to_vec()));
    assert_eq!(shown("bearer  abc"), Some(b"abc".to_vec()));
    assert_eq!(shown("Basic abc"), None);
    assert_eq!(shown("Bearer"), None);
}
