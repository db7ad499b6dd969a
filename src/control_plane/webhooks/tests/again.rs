//! Messages as real senders repeat them, and messages with odd parts.

use super::super::payload::{from_form, is_form, read};
use crate::config::WebhookKind;

#[test]
fn a_ghcr_message_with_a_time_of_the_year_1_has_the_packages_time() {
    let body = br#"{"action":"published","registry_package":{"name":"app","namespace":"org",
        "package_type":"CONTAINER","updated_at":"2026-11-24T10:00:00Z","package_version":{
        "package_url":"ghcr.io/org/app:v2","updated_at":"0001-01-01T00:00:00Z",
        "container_metadata":{"tag":{"name":"v2","digest":""}}}}}"#;
    let pushes = read(WebhookKind::Github, body).unwrap();
    assert_eq!(pushes[0].at, Some(1_795_514_400));
    let never = String::from_utf8_lossy(body).replace("2026-11-24T10:00:00Z", "0001-01-01T00:00:00Z");
    assert_eq!(read(WebhookKind::Github, never.as_bytes()).unwrap()[0].at, None, "before 1970 is no time");
    let early =
        br#"{"push_data":{"tag":"v1","pushed_at":-62135596800},"repository":{"repo_name":"org/app"}}"#;
    assert_eq!(read(WebhookKind::Dockerhub, early).unwrap()[0].at, None);
}

#[test]
fn bitbucket_tells_no_time_of_a_push() {
    let body = br#"{"push":{"changes":[{"new":{"type":"branch","name":"main",
        "target":{"hash":"0123456789abcdef","date":"2020-01-01T00:00:00+00:00"}}}]},
        "repository":{"full_name":"Org/App"}}"#;
    assert_eq!(read(WebhookKind::Bitbucket, body).unwrap()[0].at, None);
}

#[test]
fn one_odd_part_does_not_refuse_the_others() {
    let names = ["fix/#431", "v1+build.5", "größe", &"x".repeat(140)];
    for odd in names {
        let body = format!(
            r#"{{"push":{{"changes":[{{"new":{{"type":"branch","name":"{odd}","target":{{"hash":"0123456789ab"}}}}}},
            {{"new":{{"type":"branch","name":"prod","target":{{"hash":"ba9876543210"}}}}}}]}},
            "repository":{{"full_name":"org/app"}}}}"#
        );
        let pushes = read(WebhookKind::Bitbucket, body.as_bytes()).unwrap();
        assert_eq!(pushes.last().unwrap().tag.as_deref(), Some("prod"), "{odd}");
        assert!(pushes.len() <= 2);
    }
    let event = |repository: &str, tag: &str, digest: &str| {
        format!(
            r#"{{"action":"push","target":{{"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "repository":"{repository}","tag":"{tag}","digest":"{digest}"}}}}"#
        )
    };
    let good = event("org/app", "prod", &format!("sha256:{}", "0".repeat(64)));
    for odd in [
        event("org/app", "prod", &format!("sha512:{}", "0".repeat(128))),
        event("Org/App", "prod", ""),
        event("org/app", "a b", ""),
    ] {
        let body = format!(r#"{{"events":[{odd},{good}]}}"#);
        let pushes = read(WebhookKind::Registry, body.as_bytes()).unwrap();
        assert_eq!(pushes.len(), 1, "{body}");
        assert_eq!(pushes[0].tag.as_deref(), Some("prod"));
    }
}

#[test]
fn the_form_that_is_githubs_default_is_read() {
    assert!(
        is_form("application/x-www-form-urlencoded")
            && is_form("Application/X-WWW-Form-Urlencoded; charset=utf-8")
    );
    assert!(!is_form("application/json"));
    let body = b"x=1&payload=%7B%22image%22%3A%22org%2Fapp%3Av+1%22%7D";
    assert_eq!(from_form(body).unwrap().as_ref(), br#"{"image":"org/app:v 1"}"#);
    assert_eq!(from_form(b" {\"image\":\"a\"}").unwrap().as_ref(), b" {\"image\":\"a\"}");
    let why = from_form(b"a=b").unwrap_err().to_string();
    assert!(why.contains("application/json"), "{why}");
}
