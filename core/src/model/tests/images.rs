use crate::model::{ImageReference, is_digest, is_tag};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn references_are_split_as_docker_pull_splits_them() {
    let with_digest = format!("registry.example.org:5000/org/app:v1@{DIGEST}");
    for (text, repository, tag, registry) in [
        ("app", "app", None, "docker.io"),
        ("org/app", "org/app", None, "docker.io"),
        ("org/app:v1", "org/app", Some("v1"), "docker.io"),
        ("localhost/app", "localhost/app", None, "localhost"),
        ("localhost:5000/app", "localhost:5000/app", None, "localhost:5000"),
        ("127.0.0.1:5000/org/app:V_1.2-x", "127.0.0.1:5000/org/app", Some("V_1.2-x"), "127.0.0.1:5000"),
        ("registry.example.org/a/b/c:x", "registry.example.org/a/b/c", Some("x"), "registry.example.org"),
        (&with_digest, "registry.example.org:5000/org/app", Some("v1"), "registry.example.org:5000"),
    ] {
        let reference = ImageReference::parse(text).unwrap();
        assert_eq!(reference.repository, repository, "{text}");
        assert_eq!(reference.tag.as_deref(), tag, "{text}");
        assert_eq!(reference.registry(), registry, "{text}");
        assert_eq!(reference.at(DIGEST), format!("{repository}@{DIGEST}"));
    }
    assert_eq!(ImageReference::parse("app").unwrap().to_string(), "app:latest");
    assert_eq!(ImageReference::parse(&with_digest).unwrap().to_string(), with_digest);
    assert_eq!(ImageReference::parse(&format!("app@{DIGEST}")).unwrap().to_string(), format!("app@{DIGEST}"));
}

#[test]
fn a_text_that_is_not_a_reference_is_refused_with_the_reason() {
    for text in [
        "",
        "/",
        "app:",
        ":v1",
        "org//app",
        "Org/app",
        "app@",
        "app@sha256:12",
        "app:v 1",
        "app name",
        "-app",
        "app-",
        "app:.x",
        "app:-x",
        "http://h/app",
        "h.example/../app",
        "h.example/app\n",
        "app;rm",
        "https://registry.example.org/app:v1",
    ] {
        let fault = ImageReference::parse(text).unwrap_err().to_string();
        assert!(fault.contains("registry.example.org/org/app:prod"), "{text}: {fault}");
    }
    assert!(ImageReference::parse(&"a".repeat(256)).is_err());
}

#[test]
fn digests_and_tags_are_told_apart() {
    assert!(is_digest(DIGEST));
    for text in ["sha256:", "sha512:00", &DIGEST.to_uppercase(), &DIGEST[..70]] {
        assert!(!is_digest(text), "{text}");
    }
    assert!(
        is_tag("v42")
            && is_tag("2026-11-24_a.b")
            && !is_tag("")
            && !is_tag(DIGEST)
            && !is_tag(&"a".repeat(129))
    );
}

#[test]
fn a_path_is_the_name_of_the_repository_at_its_registry() {
    for (text, registry, path) in [
        ("app:v1", "docker.io", "library/app"),
        ("docker.io/app", "docker.io", "library/app"),
        ("index.docker.io/app", "docker.io", "library/app"),
        ("index.docker.io/org/app", "docker.io", "org/app"),
        ("org/app", "docker.io", "org/app"),
        ("localhost/app", "localhost", "app"),
        ("registry.example.org:5000/org/app", "registry.example.org:5000", "org/app"),
    ] {
        let reference = ImageReference::parse(text).unwrap();
        assert_eq!((reference.registry(), reference.path().as_str()), (registry, path), "{text}");
    }
}
