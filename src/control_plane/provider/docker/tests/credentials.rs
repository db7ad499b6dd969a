use super::super::credentials::{Entry, look_up};
use crate::config::RegistryAuth;

fn known(text: &str, registry: &str) -> (Option<String>, Option<String>, Option<String>, Option<String>) {
    match look_up(text, registry).unwrap() {
        Entry::Known(found) => (found.username, found.password, found.identitytoken, found.serveraddress),
        other => panic!("{other:?}"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "compared with values that may be missing")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_config_file_is_read_as_docker_writes_it() {
    // This is "me:pass:word", where the password has a colon.
    let file = r#"{"auths": {
        "https://index.docker.io/v1/": {"auth": "aHVidXNlcjpodWJwYXNz"},
        "registry.example.org:5000": {"auth": "bWU6cGFzczp3b3Jk"},
        "https://old.example.org/v2/": {"username": "u", "password": "p"},
        "token.example.org": {"auth": "YTo=", "identitytoken": "t0ken"},
        "empty.example.org": {}
    }, "HttpHeaders": {}, "credHelpers": {"helped.example.org": "ecr-login"}}"#;
    assert_eq!(
        known(file, "docker.io"),
        (text("hubuser"), text("hubpass"), None, text("https://index.docker.io/v1/"))
    );
    assert_eq!(
        known(file, "registry.example.org:5000"),
        (text("me"), text("pass:word"), None, text("registry.example.org:5000"))
    );
    assert_eq!(known(file, "old.example.org"), (text("u"), text("p"), None, text("old.example.org")));
    assert_eq!(known(file, "token.example.org"), (None, None, text("t0ken"), text("token.example.org")));
    for registry in ["empty.example.org", "other.example.org", "registry.example.org"] {
        assert_eq!(look_up(file, registry).unwrap(), Entry::Nobody, "{registry}");
    }
    assert_eq!(
        look_up(file, "helped.example.org").unwrap(),
        Entry::Helper { program: "ecr-login".to_owned(), key: "helped.example.org".to_owned() }
    );
}

#[test]
fn a_store_keeps_all_but_what_a_helper_has() {
    let file = r#"{"credsStore": "pass", "credHelpers": {"a.example.org": "gcloud"}, "auths": {"b.example.org": {}}}"#;
    let helper = |registry: &str| match look_up(file, registry).unwrap() {
        Entry::Helper { program, key } => (program, key),
        other => panic!("{other:?}"),
    };
    assert_eq!(helper("a.example.org"), ("gcloud".to_owned(), "a.example.org".to_owned()));
    assert_eq!(helper("docker.io"), ("pass".to_owned(), "https://index.docker.io/v1/".to_owned()));
}

#[test]
fn faults_of_the_file_are_told_and_never_its_secrets() {
    for (file, why) in [
        ("{", "as docker writes it"),
        (r#"{"auths": {"r.example.org": {"auth": "c2VjcmV0"}}}"#, "base64 of user:password"),
        (r#"{"auths": {"r.example.org": {"auth": "%%%"}}}"#, "base64 of user:password"),
        (r#"{"credsStore": "../evil"}"#, "no name of a credential helper"),
    ] {
        let fault = look_up(file, "r.example.org").unwrap_err();
        assert!(fault.contains(why) && !fault.contains("c2VjcmV0"), "{fault}");
    }
}

#[test]
fn a_configured_account_is_for_one_registry() {
    let secret = || crate::config::Secret::Env("NAME".to_owned());
    let auth = |image: &str| RegistryAuth {
        registry: crate::model::registry_of(image).to_owned(),
        username: secret(),
        password: secret(),
    };
    let own = auth("Registry.example.org:5000/org/app:prod");
    assert!(own.is_for("registry.example.org:5000"));
    for other in ["registry.example.org", "registry.example.org:443", "example.org:5000", "docker.io", ""] {
        assert!(!own.is_for(other), "{other}");
    }
    let hub = auth("org/app:prod");
    for (image, same) in
        [("docker.io/org/x", true), ("index.docker.io/org/x", true), ("app", true), ("a.b/c", false)]
    {
        assert_eq!(hub.is_for(crate::model::registry_of(image)), same, "{image}");
    }
}
