//! Incoming webhooks. The tests show who may send one and how often, which releases follow, and which secrets
//! are never written anywhere.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use ring::hmac;
use serde_json::json;

use crate::kit::{
    SECRET, Secrets, TOKEN, dockerhub, holds, post, quick, releases, send, sign, sign_body, unix_now, until,
};
use greenlight_testkit::house::{House, PATIENCE, SERVICE, START, Setup, address};

/// A door with every kind of webhook, on the listener for webhooks and on the public listener.
struct Door {
    house: House,
    hooks: SocketAddr,
    secrets: Secrets,
}

impl Door {
    async fn open() -> Self {
        let (secrets, hooks) = (Secrets::new(), address());
        let token = secrets.file("token", TOKEN);
        let secret = secrets.file("secret", SECRET);
        let access = secrets.path("access.log").display().to_string();
        let mut more = format!(
            "[log]\naccess = \"{access}\"\nlevel = \"debug\"\n[hooks]\nbind = \"{hooks}\"\npublic = true\n\
             [[webhooks]]\nname = \"hub\"\nkind = \"dockerhub\"\nservice = \"{SERVICE}\"\ntoken = {token}\n\
             allow = [\"org/app:prod\", \"org/app:v*\"]\n"
        );
        for (name, kind) in [("ci", "generic"), ("gh", "github"), ("bb", "bitbucket")] {
            let _ = write!(
                more,
                "[[webhooks]]\nname = \"{name}\"\nkind = \"{kind}\"\nservice = \"{SERVICE}\"\nsecret = {secret}\n\
                 allow = [\"org/app:*\", \"v*\"]\n"
            );
        }
        let house = House::open(&Setup { more, ..quick() }).await;
        Self { house, hooks, secrets }
    }

    async fn hub(&self, token: &str, body: &[u8]) -> u16 {
        send(self.hooks, &post(&format!("/hooks/hub/{token}"), &[], body)).await.status
    }

    async fn ci(&self, at: u64, secret: &str, body: &[u8]) -> u16 {
        let fields =
            [("X-Greenlight-Timestamp", at.to_string()), ("X-Greenlight-Signature", sign(secret, at, body))];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(self.hooks, &post("/hooks/ci", &fields, body)).await.status
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_equal_webhooks_at_once_are_one_release() {
    let door = Door::open().await;
    let body = dockerhub("org/app", "prod", 1_700_000_000);
    let request = post(&format!("/hooks/hub/{TOKEN}"), &[], &body);
    let sends = (0..20).map(|_| {
        let (to, request) = (door.hooks, request.clone());
        tokio::spawn(async move {
            let begun = greenlight::clock::instant();
            (send(to, &request).await.status, begun.elapsed())
        })
    });
    let mut took = Vec::new();
    for sent in sends.collect::<Vec<_>>() {
        let (status, time) = sent.await.unwrap();
        assert_eq!(status, 202);
        took.push(time);
    }
    took.sort();
    println!("RESULT webhooks: 20 at once, answered in {:?} (median), {:?} (slowest)", took[10], took[19]);
    assert!(took[10] < Duration::from_millis(100), "{took:?}");

    let version = "prod@2023-11-14T22:13:20Z";
    until(&door.house, version, "succeeded").await;
    assert_eq!(releases(&door.house).await, 1);

    // The same webhook again starts nothing, because its version is active. An older push that comes late
    // starts nothing either. A newer push starts a release.
    assert_eq!(door.hub(TOKEN, &body).await, 202);
    assert_eq!(door.hub(TOKEN, &dockerhub("org/app", "v1", 1_600_000_000)).await, 202);
    assert_eq!(door.hub(TOKEN, &dockerhub("org/app", "v2", 1_700_000_100)).await, 202);
    until(&door.house, "v2@2023-11-14T22:15:00Z", "succeeded").await;
    assert_eq!(releases(&door.house).await, 2);
    let log = std::fs::read_to_string(&door.house.door.log).unwrap();
    assert!(log.contains("was pushed 100000000 s before the one that was pushed last"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_late_large_or_foreign_webhooks_are_refused_and_leave_no_token() {
    let door = Door::open().await;
    let good = dockerhub("org/app", "prod", 1_700_000_000);
    let wrong_token = "fedcba9876543210fedcba9876543210";

    // A wrong name and a wrong token get the same answer, byte by byte but for the date.
    let answer = async |path: String| {
        let mut answer = send(door.hooks, &post(&path, &[], &good)).await;
        answer.fields.retain(|(name, _)| name != "date");
        answer
    };
    let by_token = answer(format!("/hooks/hub/{wrong_token}")).await;
    let by_name = answer(format!("/hooks/nub/{TOKEN}")).await;
    assert_eq!(by_token.status, 404);
    assert_eq!(by_token, by_name);
    assert_eq!(by_token, answer(format!("/hooks/ci/{TOKEN}")).await);
    assert_eq!(by_token, answer("/hooks/hub".to_owned()).await);
    assert_eq!(by_token, answer("/hooks/nub".to_owned()).await);
    assert_eq!(by_token, answer(format!("/elsewhere/{TOKEN}")).await);

    // A forged repository, a tag that is not allowed, and bodies that are no message.
    assert_eq!(door.hub(TOKEN, &dockerhub("evil/app", "prod", 1)).await, 403);
    assert_eq!(door.hub(TOKEN, &dockerhub("org/app", "latest", 1)).await, 403);
    assert_eq!(door.hub(TOKEN, &dockerhub("org/app:prod@sha256:00/../x", "prod", 1)).await, 400);
    assert_eq!(door.hub(TOKEN, b"{}").await, 400);
    assert_eq!(door.hub(TOKEN, b"").await, 400);

    // A body of 1 MiB, once with a Content-Length and once in chunks.
    let large = vec![b' '; 1 << 20];
    assert_eq!(door.hub(TOKEN, &large).await, 413);
    let chunked = [
        format!(
            "POST /hooks/hub/{TOKEN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n"
        )
        .into_bytes(),
        large.clone(),
        b"\r\n0\r\n\r\n".to_vec(),
    ];
    assert_eq!(send(door.hooks, &chunked.concat()).await.status, 413);

    // Wrong signatures, a replay after 6 minutes, and a replay at once.
    let body = json!({ "version": "v7" }).to_string().into_bytes();
    let now = unix_now();
    assert_eq!(door.ci(now, "not what we know", &body).await, 404);
    let other = post("/hooks/ci", &[("X-Greenlight-Signature", &sign(SECRET, now, &body))], &body);
    assert_eq!(send(door.hooks, &other).await.status, 404, "without its time");
    let six_minutes_ago = now - 360;
    assert_eq!(door.ci(six_minutes_ago, SECRET, &body).await, 401);
    assert_eq!(door.ci(now + 360, SECRET, &body).await, 401);
    let foreign = json!({ "image": "evil/app:v7" }).to_string().into_bytes();
    assert_eq!(door.ci(now, SECRET, &foreign).await, 403);
    assert_eq!(door.ci(now, SECRET, &foreign).await, 403, "it was not taken, so it may be sent again");

    // GET is refused. The public listener gives the same answers as the listener for webhooks.
    let get = format!("GET /hooks/hub/{TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(send(door.hooks, get.as_bytes()).await.status, 405);
    let public = door.house.listener;
    let request = |token: &str, body: &[u8]| post(&format!("/hooks/hub/{token}"), &[], body);
    assert_eq!(send(public, &request(wrong_token, &good)).await.status, 404);
    assert_eq!(send(public, &request(TOKEN, &dockerhub("evil/app", "prod", 1))).await.status, 403);
    assert_eq!(send(public, &request(TOKEN, &large)).await.status, 413);
    assert_eq!(releases(&door.house).await, 0, "nothing of it started anything");

    assert_eq!(send(public, &request(TOKEN, &good)).await.status, 202);
    until(&door.house, "prod@2023-11-14T22:13:20Z", "succeeded").await;
    let Door { mut house, secrets, .. } = door;
    house.door.terminate(Duration::from_secs(20)).await.unwrap();

    // Refusals are in the audit log, with the webhook and the reason. The token is in no file: not in the
    // log, not in the access log, and not in the store.
    let store = house.door.config.parent().unwrap().join("store");
    for line in
        ["refused: wrong name or token", "refused: evil/app:prod: it is not in the webhook's allow list"]
    {
        assert!(holds(&store, line).is_some(), "no audit line: {line}");
    }
    assert!(holds(&store, "webhook hub from 127.0.0.1").is_some());
    let access = std::fs::read_to_string(secrets.path("access.log")).unwrap();
    assert!(access.contains("\"path\":\"/hooks/hub\""), "{access}");
    std::fs::remove_file(secrets.path("token")).unwrap();
    for token in [TOKEN, wrong_token, SECRET] {
        let folder = house.door.config.parent().unwrap();
        assert_eq!(holds(folder, token), None, "{token}");
        assert!(!access.contains(token));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_senders_start_releases() {
    let door = Door::open().await;
    let body = json!({ "repository": "org/app", "tag": "v1", "pushed_at": 1_000 }).to_string().into_bytes();
    let now = unix_now();
    assert_eq!(door.ci(now, SECRET, &body).await, 202);
    assert_eq!(door.ci(now, SECRET, &body).await, 409, "the same signed message again");
    until(&door.house, "v1", "succeeded").await;

    let digest = format!("sha256:{}", "ab".repeat(32));
    let package = json!({
        "action": "published",
        "registry_package": {
            "name": "app", "namespace": "org", "package_type": "CONTAINER", "updated_at": "2026-01-01T10:00:00Z",
            "package_version": {
                "package_url": "ghcr.io/org/app:v2",
                "container_metadata": { "tag": { "name": "v2", "digest": digest } }
            }
        }
    });
    let body = package.to_string().into_bytes();
    let signature = sign_body(SECRET, hmac::HMAC_SHA256, &body);
    let fields = [("X-GitHub-Event", "registry_package"), ("X-Hub-Signature-256", signature.as_str())];
    assert_eq!(send(door.hooks, &post("/hooks/gh", &fields, &body)).await.status, 202);
    until(&door.house, &digest, "succeeded").await;

    // GitHub's ping with a signature of the old kind (SHA-1) is accepted and starts nothing.
    let ping = br#"{"zen":"Keep it logically awesome.","hook_id":1}"#;
    let signature = sign_body(SECRET, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ping);
    let fields = [("X-GitHub-Event", "ping"), ("X-Hub-Signature", signature.as_str())];
    let answer = send(door.hooks, &post("/hooks/gh", &fields, ping)).await;
    assert_eq!((answer.status, answer.body.as_slice()), (202, &br#"{"accepted":0,"ignored":0}"#[..]));
    // A valid signature of the old kind does not make up for a wrong one of the new kind.
    let fields = [("X-Hub-Signature-256", "sha256=00"), ("X-Hub-Signature", signature.as_str())];
    assert_eq!(send(door.hooks, &post("/hooks/gh", &fields, ping)).await.status, 404);

    let push = json!({
        "push": { "changes": [{ "new": { "type": "tag", "name": "v3",
            "target": { "hash": "0123456789abcdef", "date": "2026-02-01T10:00:00+00:00" } } }] },
        "repository": { "full_name": "org/app" }
    });
    let body = push.to_string().into_bytes();
    let signature = sign_body(SECRET, hmac::HMAC_SHA256, &body);
    let fields = [("X-Hub-Signature", signature.as_str())];
    assert_eq!(send(door.hooks, &post("/hooks/bb", &fields, &body)).await.status, 202);
    until(&door.house, "v3", "succeeded").await;
    assert_eq!(releases(&door.house).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_over_its_rate_gets_429_and_guesses_lock_no_sender_out() {
    let door = Door::open().await;
    let body = dockerhub("org/app", "prod", 1_700_000_000);
    let guess = post("/hooks/hub/ffffffffffffffffffffffffffffffff", &[], &body);
    for _ in 0..150 {
        assert_eq!(send(door.hooks, &guess).await.status, 404);
    }
    let known = post(&format!("/hooks/hub/{TOKEN}"), &[], &body);
    assert_eq!(send(door.hooks, &known).await.status, 202, "guesses do not count against the sender");
    // A sender may call 120 times at once, and 10 times a second after that.
    let mut statuses = Vec::new();
    let begun = greenlight::clock::instant();
    while !statuses.contains(&429) && begun.elapsed() < PATIENCE {
        let many = (0..50).map(|_| {
            let (to, known) = (door.hooks, known.clone());
            tokio::spawn(async move { send(to, &known).await.status })
        });
        for sent in many.collect::<Vec<_>>() {
            statuses.push(sent.await.unwrap());
        }
    }
    assert!(statuses.contains(&429), "{} calls in {:?}", statuses.len(), begun.elapsed());
    assert!(statuses.iter().filter(|status| **status == 202).count() >= 100, "{statuses:?}");
    assert!(statuses.iter().all(|status| [202, 429].contains(status)), "{statuses:?}");
    until(&door.house, "prod@2023-11-14T22:13:20Z", "succeeded").await;
    assert_eq!(releases(&door.house).await, 1);
}

/// The time of an answer does not show whether a name exists.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_name_takes_as_long_as_a_wrong_token() {
    let door = Door::open().await;
    let body = dockerhub("org/app", "prod", 1);
    let guess = "ffffffffffffffffffffffffffffffff";
    let requests = ["hub", "nub"].map(|name| post(&format!("/hooks/{name}/{guess}"), &[], &body));
    let mut took = [Vec::new(), Vec::new()];
    // The two requests alternate, so that other work of the machine delays both alike.
    for round in 0..400 {
        let which = round % 2;
        let begun = greenlight::clock::instant();
        assert_eq!(send(door.hooks, &requests[which]).await.status, 404);
        took[which].push(begun.elapsed());
    }
    let [token, name] = took.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    println!(
        "RESULT webhooks: a wrong token is refused in {token:?}, a wrong name in {name:?} (medians of 200)"
    );
    let apart = token.abs_diff(name);
    assert!(apart < token.max(name) / 2, "{token:?} and {name:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_webhooks_and_keeps_the_rest() {
    let door = Door::open().await;
    let body = dockerhub("org/app", "prod", 1_700_000_000);
    let new_token = "abcdefabcdefabcdefabcdefabcdefab";
    assert_eq!(door.hub(new_token, &body).await, 404);
    door.secrets.file("token", new_token);
    let reloaded = door.house.admin().ask("POST", "/v1/reload", Some(&json!({}))).await.unwrap();
    assert_eq!(reloaded.status, 200);
    let begun = greenlight::clock::instant();
    while door.hub(new_token, &body).await != 202 {
        assert!(begun.elapsed() < PATIENCE, "the new token is not taken");
    }
    assert_eq!(door.hub(TOKEN, &body).await, 404, "the old token is nobody's");
    until(&door.house, "prod@2023-11-14T22:13:20Z", "succeeded").await;
}

/// A version that a person has left is not released by the same message again, not even after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_comes_again_releases_nothing() {
    let mut door = Door::open().await;
    let push =
        |tag: &str| json!({ "image": format!("org/app:{tag}"), "version": tag }).to_string().into_bytes();
    let deliver = async |door: &Door, tag: &str, id: &str| {
        let body = push(tag);
        let signature = sign_body(SECRET, hmac::HMAC_SHA256, &body);
        let fields = [("X-GitHub-Delivery", id), ("X-Hub-Signature-256", signature.as_str())];
        assert_eq!(send(door.hooks, &post("/hooks/gh", &fields, &body)).await.status, 202);
    };
    // GitHub's default is a form.
    let form = format!("payload={}", String::from_utf8(push("v1")).unwrap().replace('"', "%22"));
    let signature = sign_body(SECRET, hmac::HMAC_SHA256, form.as_bytes());
    let fields = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-GitHub-Delivery", "d1"),
        ("X-Hub-Signature-256", signature.as_str()),
    ];
    assert_eq!(send(door.hooks, &post("/hooks/gh", &fields, form.as_bytes())).await.status, 202);
    until(&door.house, "v1", "succeeded").await;
    deliver(&door, "v2", "d2").await;
    until(&door.house, "v2", "succeeded").await;
    let back = format!("/v1/services/{SERVICE}/rollback");
    assert_eq!(door.house.admin().ask("POST", &back, Some(&json!({}))).await.unwrap().status, 202);
    until(&door.house, "v1", "succeeded").await;
    let before = releases(&door.house).await;
    deliver(&door, "v2", "d2").await;
    deliver(&door, "v1", "d1").await;
    door.house.start_again();
    door.house.door.ready(START).await.unwrap();
    deliver(&door, "v2", "d2").await;
    // The pushes of a service go in order, so the others have been decided before this one.
    deliver(&door, "v3", "d3").await;
    until(&door.house, "v3", "succeeded").await;
    assert_eq!(releases(&door.house).await, before + 1);
}
