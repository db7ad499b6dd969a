//! Reads: services, releases, history, explain, quarantine, audit, metrics.

use crate::control_plane::controller::{AuditEntry, QuarantineView};
use crate::judge::Verdict;

use super::*;

#[tokio::test]
async fn services() {
    let api = Api::start();
    let all: Value = api.get("/v1/services").await.json().await.unwrap();
    assert_eq!(all.as_array().unwrap().len(), 1);
    let response = api.get("/v1/services/shop").await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let one: Value = response.json().await.unwrap();
    assert_eq!(one, all[0]);
    let expected = json!({
        "name": "shop", "hosts": ["shop.example.org"], "active": "blue", "active_version": "v41", "epoch": 3, "revision": 12,
        "state": "stable", "pinned": false, "paused": false, "rollback_available": true, "release": null,
        "endpoints": []
    });
    assert_eq!(one, expected);
    let detail = problem(api.get("/v1/services/nope").await, 404, "not-found").await;
    assert_eq!(detail, "there is no service \"nope\"");
}

#[tokio::test]
async fn a_release_is_shown_as_the_loop_has_it_else_as_stored() {
    let api = Api::start();
    api.stored(&release("shop-1", "reverted"), &[]).await;
    api.stored(&release("shop-2", "checking"), &[]).await;
    let mut running = service();
    running.release = Some(release("shop-2", "baking"));
    running.queued = Some(release("shop-3", "queued"));
    api.views.store(Arc::new(Views { services: vec![Arc::new(running)], quarantine: Vec::new() }));
    for (id, state) in [("shop-1", "reverted"), ("shop-2", "baking"), ("shop-3", "queued")] {
        let shown: ReleaseView = api.get(&format!("/v1/releases/{id}")).await.json().await.unwrap();
        assert_eq!(shown, release(id, state));
    }
    let history: Vec<ReleaseView> = api.get("/v1/services/shop/history").await.json().await.unwrap();
    assert_eq!(history, [release("shop-2", "baking"), release("shop-1", "reverted")]);
    let history: Vec<ReleaseView> = api.get("/v1/services/shop/history?limit=1").await.json().await.unwrap();
    assert_eq!(history.len(), 1);
}

#[tokio::test]
async fn unknown_paths_and_parameters_are_refused() {
    let api = Api::start();
    for path in [
        "/v1/releases/shop-99",
        "/v1/releases/shop-99/events",
        "/v1/releases/shop-99/explain",
        "/v1/services/nope/history",
        "/v1/services/nope/audit",
        "/v1/services/%00",
        "/v2",
        "/",
    ] {
        problem(api.get(path).await, 404, "not-found").await;
    }
    for path in ["/v1/services/%ff", "/v1/releases/%c3%28", "/v1/services/shop/history?limit=0"] {
        problem(api.get(path).await, 400, "bad-request").await;
    }
    for limit in ["-1", "1001", "x", "99999999999999999999", ""] {
        let response = api.get(&format!("/v1/services/shop/audit?limit={limit}")).await;
        problem(response, 400, "bad-request").await;
    }
    let response = api.request(Method::PATCH, "/v1/services/shop/pin").send().await.unwrap();
    assert_eq!(response.headers()["allow"], "PUT,DELETE");
    problem(response, 405, "method-not-allowed").await;
    let response = api.request(Method::POST, "/healthz").send().await.unwrap();
    problem(response, 405, "method-not-allowed").await;
}

#[tokio::test]
async fn explain_is_a_story_in_three_forms() {
    let api = Api::start();
    let mut ended = release("shop-1", "reverted");
    ended.verdict = Some(Verdict::Fail);
    ended.promoted_at = Some("2026-11-24T14:02:31.000Z".into());
    ended.finished_at = Some("2026-11-24T15:02:37.000Z".into());
    ended.numbers =
        json!({"n": 312, "e": 21, "p0": 0.005, "p1": 0.025, "s": 14.21, "h": 14.2, "rule_on": true})
            .as_object()
            .unwrap()
            .clone();
    api.stored(&ended, &["checking", "promoting", "baking", "reverting", "reverted"]).await;

    let response = api.get("/v1/releases/shop-1/explain").await;
    assert_eq!(response.headers()["vary"], "accept");
    let story: Value = response.json().await.unwrap();
    assert_eq!(story["release"]["id"], "shop-1");
    assert_eq!(story["numbers"]["e"], 21);
    let words: Vec<&str> =
        story["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(words, ["checking", "promoting", "baking", "reverting", "reverted"]);
    assert_eq!(story["text"].as_str().unwrap(), include_str!("explain.txt"));

    let page = api.request(Method::GET, "/v1/releases/shop-1/explain").header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(page.text().await.unwrap().contains("shop-1 <span class=\"badge bad\">reverted</span>"));
}

#[tokio::test]
async fn quarantine_lists_and_lets_go() {
    let api = Api::start();
    let version = "sha256:ab/cd é";
    let entry = QuarantineView {
        service: "shop".into(),
        version: version.into(),
        reason: "errors".into(),
        release: "shop-1".into(),
        since: "2026-11-24T14:02:11.000Z".into(),
    };
    api.views.store(Arc::new(Views { services: vec![Arc::new(service())], quarantine: vec![entry.clone()] }));
    let list: Vec<QuarantineView> = api.get("/v1/quarantine").await.json().await.unwrap();
    assert_eq!(list, [entry]);
    let delete = |path: &str| api.request(Method::DELETE, path).send();
    problem(delete("/v1/quarantine/shop/v1").await.unwrap(), 404, "not-found").await;
    assert!(api.seen().is_empty());
    let response = delete("/v1/quarantine/shop/sha256:ab%2Fcd%20%C3%A9").await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(api.seen()[0].command, Command::Unquarantine { version: version.into() });
}

#[tokio::test]
async fn audit_newest_first() {
    let api = Api::start();
    let shop = ServiceName::new("shop");
    for what in ["promote", "rollback"] {
        let entry = AuditEntry {
            time: "2026-11-24T14:02:11.000Z".into(),
            who: "ci".into(),
            service: "shop".into(),
            what: what.into(),
            outcome: "done".into(),
            before: "blue".into(),
            after: "green".into(),
        };
        api.store.audit(&shop, serde_json::to_string(&entry).unwrap()).await.unwrap();
    }
    let entries: Vec<AuditEntry> = api.get("/v1/services/shop/audit").await.json().await.unwrap();
    let what: Vec<&str> = entries.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(what, ["rollback", "promote"]);
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let api = Api::start();
    let response = api.get("/metrics").await;
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.unwrap();
    assert!(text.contains("# TYPE greenlight_test_total counter\ngreenlight_test_total 0"), "{text}");
}
