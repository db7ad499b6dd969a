//! The pushes that each sender's message holds.

use crate::config::WebhookKind;
use crate::control_plane::webhooks::payload::read;
use crate::control_plane::webhooks::push::{Push, unix_seconds};

fn one(kind: WebhookKind, body: &str) -> Push {
    let pushes = read(kind, body.as_bytes()).unwrap();
    assert_eq!(pushes.len(), 1, "{pushes:?}");
    pushes.into_iter().next().unwrap()
}

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn digest() -> String {
    format!("sha256:{}", "0123456789abcdef".repeat(4))
}

#[test]
fn docker_hub() {
    // The example of docs.docker.com, shortened.
    let body = r#"{"callback_url":"https://registry.hub.docker.com/u/svendowideit/testhook/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/",
        "push_data":{"pushed_at":1417566161,"pusher":"trustedbuilder","tag":"latest","images":["27d47432a69b"]},
        "repository":{"comment_count":0,"date_created":1417494799,"is_private":true,"name":"testhook",
        "namespace":"svendowideit","repo_name":"svendowideit/testhook","status":"Active"}}"#;
    let push = one(WebhookKind::Dockerhub, body);
    assert_eq!(
        (push.repository.as_deref(), push.tag.as_deref()),
        (Some("svendowideit/testhook"), Some("latest"))
    );
    assert_eq!(push.at, Some(1_417_566_161));
    assert_eq!(push.label().as_deref(), Some("latest@2014-12-03T00:22:41Z"));
    let early = r#"{"push_data":{"pushed_at":1.417566161E9,"tag":"v1"},"repository":{"repo_name":"a/b"}}"#;
    assert_eq!(one(WebhookKind::Dockerhub, early).at, Some(1_417_566_161));
    let undated = r#"{"push_data":{"tag":"v1"},"repository":{"repo_name":"a/b"}}"#;
    assert_eq!(one(WebhookKind::Dockerhub, undated).label().as_deref(), Some("v1"));
}

#[test]
fn names_that_no_image_can_have_are_refused() {
    let hub = |name: &str, tag: &str| {
        serde_json::json!({ "push_data": { "tag": tag }, "repository": { "repo_name": name } }).to_string()
    };
    for (name, tag) in [
        ("org/app:prod", "v1"),
        ("org/../app", "v1"),
        ("org//app", "v1"),
        ("Org/app", "v1"),
        ("org/app\n", "v1"),
        ("", "v1"),
        ("org/app", ""),
        ("org/app", "v1 --privileged"),
        ("org/app", "-v1"),
        ("org/app", "v1@sha256:00"),
        ("evil.example.org:5000/org/app", "v1"),
    ] {
        assert!(read(WebhookKind::Dockerhub, hub(name, tag).as_bytes()).is_err(), "{name:?} {tag:?}");
    }
    for body in ["", "{", "[]", "null", "{}", r#"{"events":3}"#] {
        for kind in [WebhookKind::Dockerhub, WebhookKind::Registry] {
            assert!(read(kind, body.as_bytes()).is_err(), "{kind:?} {body}");
        }
    }
    let deep = "[".repeat(100_000);
    assert!(read(WebhookKind::Generic, deep.as_bytes()).is_err());
}

#[test]
fn generic() {
    let push = one(WebhookKind::Generic, r#"{"image":"registry.example.org:5000/org/app:prod"}"#);
    assert_eq!(push.host.as_deref(), Some("registry.example.org:5000"));
    assert_eq!(
        (push.repository, push.tag, push.at),
        (Some("org/app".to_owned()), Some("prod".to_owned()), None)
    );
    let body = format!(
        r#"{{"repository":"org/app","digest":"{}","pushed_at":"2026-01-01T00:00:00+02:00"}}"#,
        digest()
    );
    let push = one(WebhookKind::Generic, &body);
    assert_eq!((&push.tag, push.digest.as_ref(), push.at), (&None, Some(&digest()), Some(1_767_218_400)));
    assert_eq!(one(WebhookKind::Generic, r#"{"repository":"org/app"}"#).tag.as_deref(), Some("latest"));
    let push = one(WebhookKind::Generic, r#"{"version":"build-7","pushed_at":12}"#);
    assert_eq!((push.label().as_deref(), push.at), (Some("build-7"), Some(12)));
    for bad in [r#"{"image":"no image"}"#, r#"{"tag":"v1"}"#, r#"{"version":"v","pushed_at":"yesterday"}"#] {
        assert!(read(WebhookKind::Generic, bad.as_bytes()).is_err(), "{bad}");
    }
    // A label that could not stand in a log or a path is no label.
    assert_eq!(Push { version: Some("a b".to_owned()), ..Push::default() }.label(), None);
    assert_eq!(Push { version: Some("x".repeat(201)), ..Push::default() }.label(), None);
}

#[test]
fn github() {
    let body = serde_json::json!({
        "action": "published",
        "package": {
            "name": "app", "namespace": "Octo-Org", "package_type": "CONTAINER", "updated_at": "2026-01-01T10:00:00Z",
            "package_version": {
                "version": digest(), "package_url": "ghcr.io/octo-org/app:v2",
                "container_metadata": { "tag": { "name": "v2", "digest": digest() } }
            }
        }
    });
    let push = one(WebhookKind::Github, &body.to_string());
    assert_eq!(push.host.as_deref(), Some("ghcr.io"));
    assert_eq!((push.repository.as_deref(), push.tag.as_deref()), (Some("octo-org/app"), Some("v2")));
    assert_eq!((push.digest, push.at), (Some(digest()), Some(1_767_261_600)));

    // A layer of an index, a package of another kind, and an event about something else give no push.
    let mut untagged = body.clone();
    untagged["package"]["package_version"]["container_metadata"]["tag"] =
        serde_json::json!({ "name": "", "digest": "" });
    untagged["package"]["package_version"]["package_url"] = "ghcr.io/octo-org/app:".into();
    let mut npm = body.clone();
    npm["package"]["package_type"] = "npm".into();
    let ping = serde_json::json!({ "zen": "Design for failure.", "hook_id": 1 });
    let push = serde_json::json!({ "ref": "refs/heads/main", "repository": { "full_name": "octo-org/app" } });
    for nothing in [untagged, npm, ping, push] {
        assert_eq!(read(WebhookKind::Github, nothing.to_string().as_bytes()), Ok(vec![]), "{nothing}");
    }
    // A message that a workflow sends by itself.
    let own = one(WebhookKind::Github, r#"{"image":"ghcr.io/octo-org/app:v3"}"#);
    assert_eq!(own.tag.as_deref(), Some("v3"));
}

#[test]
fn bitbucket() {
    let body = serde_json::json!({
        "push": { "changes": [
            { "new": { "type": "branch", "name": "feature/x", "target": { "hash": "709d658dc5b6d6afcd46049c2f332ee3f515a67d", "date": "2015-06-09T03:34:49+00:00" } } },
            { "new": null },
            { "new": { "type": "tag", "name": "v1.2", "target": { "hash": "709d658dc5b6", "date": "2015-06-09T05:34:49+02:00" } } }
        ] },
        "repository": { "full_name": "Team/App" }
    });
    let pushes = read(WebhookKind::Bitbucket, body.to_string().as_bytes()).unwrap();
    let labels: Vec<_> = pushes.iter().map(|push| (push.subject(), push.label().unwrap(), push.at)).collect();
    // The date is the commit's and not the push's.
    let at = None;
    assert_eq!(
        labels,
        [
            ("team/app:feature-x".to_owned(), "feature/x@709d658dc5b6".to_owned(), at),
            ("team/app:v1.2".to_owned(), "v1.2".to_owned(), at)
        ]
    );
    assert_eq!(read(WebhookKind::Bitbucket, br#"{"test":true}"#), Ok(vec![]));
}

#[test]
fn registry() {
    // A message as Debian's docker-registry 2.8 sends it, shortened.
    let event = |action: &str, kind: &str, tag: &str| {
        format!(
            r#"{{"id":"320678d8-ca14-430f-8bb6-4ca139cd83f7","timestamp":"2026-01-01T10:00:00.402973972-08:00",
            "action":"{action}","target":{{"mediaType":"{kind}","size":708,"digest":"{}","length":708,
            "repository":"org/app","url":"http://127.0.0.1:5000/v2/org/app/manifests/x","tag":"{tag}"}},
            "request":{{"id":"6df24a34","addr":"127.0.0.1:40000","host":"127.0.0.1:5000","method":"PUT"}},
            "actor":{{}},"source":{{"addr":"xtal.local:5000"}}}}"#,
            digest()
        )
    };
    let events = [
        event("push", "application/octet-stream", ""),
        event("pull", MANIFEST, "prod"),
        event("push", MANIFEST, ""),
        event("push", MANIFEST, "prod"),
        event("push", "application/vnd.oci.image.index.v1+json", "multi"),
    ];
    let body = format!("{{\"events\":[{}]}}", events.join(","));
    let pushes = read(WebhookKind::Registry, body.as_bytes()).unwrap();
    let tags: Vec<_> = pushes.iter().map(|push| push.tag.as_deref().unwrap()).collect();
    assert_eq!(tags, ["prod", "multi"]);
    assert_eq!(pushes[0].host.as_deref(), Some("127.0.0.1:5000"));
    assert_eq!((pushes[0].label(), pushes[0].at), (Some(digest()), Some(1_767_290_400)));
    let many = format!("{{\"events\":[{}]}}", vec![event("push", MANIFEST, "prod"); 300].join(","));
    assert_eq!(read(WebhookKind::Registry, many.as_bytes()).unwrap().len(), 100, "a limit on everything");
}

#[test]
fn times() {
    let cases = [
        ("2026-01-01T00:00:00Z", Some(1_767_225_600)),
        ("2026-01-01T01:30:00.5+01:30", Some(1_767_225_600)),
        ("2025-12-31T16:00:00-08:00", Some(1_767_225_600)),
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1970-01-01T00:00:00+01:00", None),
        ("", None),
        ("now", None),
        ("2026-01-01T00:00:00", None),
        ("2026-01-01T00:00:0é:00", None),
    ];
    for (text, seconds) in cases {
        assert_eq!(unix_seconds(text), seconds, "{text}");
    }
}
