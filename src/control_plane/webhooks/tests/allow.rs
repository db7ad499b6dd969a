//! Which images may be released, and from which registry.

use crate::control_plane::webhooks::allow::{Allowed, Pattern, glob};
use crate::control_plane::webhooks::push::Push;
use crate::model::ImageReference;

fn push(text: &str) -> Push {
    let image = ImageReference::parse(text).unwrap();
    Push {
        host: image.host().map(str::to_owned),
        repository: Some(image.name().to_owned()),
        tag: image.tag,
        digest: image.digest,
        ..Push::default()
    }
}

fn allowed(patterns: &[&str], image: Option<&str>) -> Allowed {
    Allowed {
        own_tags: Vec::new(),
        patterns: patterns.iter().map(|text| Pattern::new(text)).collect(),
        image: image.map(|image| ImageReference::parse(image).unwrap()),
    }
}

#[test]
fn stars_stand_for_anything_but_a_slash() {
    let cases = [
        ("v*", "v1", true),
        ("v*", "v", true),
        ("*", "anything", true),
        ("*", "a/b", false),
        ("org/*", "org/app", true),
        ("org/*", "org/team/app", false),
        ("*/app", "org/app", true),
        ("a*b*c", "aXXbYYc", true),
        ("a*b*c", "aXXbYY", false),
        ("a*ab", "aab", true),
        ("prod", "prod", true),
        ("prod", "prod2", false),
        ("prod", "pro", false),
        ("", "", true),
        ("**", "", true),
    ];
    for (pattern, text, matches) in cases {
        assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
    }
}

#[test]
fn an_image_comes_from_a_registry_that_the_configuration_names() {
    let own = Some("registry.example.org/org/app:prod");
    let cases: &[(&[&str], &str, Option<&str>)] = &[
        // Without a list, only the service's own image is allowed, on any registry that the sender names.
        (&[], "org/app:prod", Some("registry.example.org/org/app:prod")),
        (&[], "evil.example.org/org/app:prod", Some("registry.example.org/org/app:prod")),
        (&[], "org/app:test", None),
        (&[], "org/other:prod", None),
        // With a list, only its images are allowed, on the service's registry.
        (&["org/app:v*"], "org/app:v7", Some("registry.example.org/org/app:v7")),
        (&["org/app:v*"], "evil.example.org/org/app:v7", Some("registry.example.org/org/app:v7")),
        (&["org/app:v*"], "org/app:prod", None),
        (&["org/app"], "org/app:anything", Some("registry.example.org/org/app:anything")),
        (&["org/app:prod"], "evil/app:prod", None),
        (&["org/app:prod"], "org/app/prod:prod", None),
        (&["org/app:prod"], "xorg/app:prod", None),
        // With a host in the list, the sender has to name that host, and the image is taken from there.
        (&["ghcr.io/org/app:*"], "ghcr.io/org/app:v1", Some("ghcr.io/org/app:v1")),
        (&["ghcr.io/org/app:*"], "evil.example.org/org/app:v1", None),
        (&["ghcr.io/org/app:*"], "org/app:v1", None),
        (&["docker.io/org/app:*"], "org/app:v1", Some("org/app:v1")),
    ];
    for (patterns, pushed, reference) in cases {
        let found = allowed(patterns, own).reference(&push(pushed)).ok().flatten();
        assert_eq!(found.as_deref(), *reference, "{patterns:?} {pushed}");
    }
}

#[test]
fn a_tag_is_resolved_by_us_whatever_digest_is_sent() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let list = allowed(&["org/app"], Some("org/app:prod"));
    let both = Push { digest: Some(digest.clone()), ..push("org/app:prod") };
    assert_eq!(list.reference(&both), Ok(Some("org/app:prod".to_owned())));
    let alone = push(&format!("org/app@{digest}"));
    assert_eq!(list.reference(&alone), Ok(Some(format!("org/app@{digest}"))));
    assert!(list.reference(&Push { version: Some("v1".to_owned()), ..Push::default() }).is_err());
    // A pattern with a tag requires that tag.
    assert!(allowed(&["org/app:prod"], Some("org/app:prod")).reference(&alone).is_err());
}

#[test]
fn where_nothing_is_run_a_push_is_a_label() {
    let label = |text: &str| Push { version: Some(text.to_owned()), ..Push::default() };
    assert_eq!(allowed(&[], None).reference(&push("any/thing:at-all")), Ok(None));
    assert_eq!(allowed(&["org/app:v*"], None).reference(&push("org/app:v2")), Ok(None));
    assert!(allowed(&["org/app:v*"], None).reference(&push("evil/app:v2")).is_err());
    assert_eq!(allowed(&["v*"], None).reference(&label("v7")), Ok(None));
    assert!(allowed(&["v*"], None).reference(&label("w7")).is_err());
    assert!(allowed(&["org/app:v*"], None).reference(&label("v7")).is_err());
}
