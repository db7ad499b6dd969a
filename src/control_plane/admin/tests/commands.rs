//! Changes: bodies become commands, and the answers of the controller loop become statuses.

use std::time::Duration;

use super::*;
use crate::release::Refusal;

#[tokio::test]
async fn each_path_is_its_command() {
    let api = Api::start();
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (
            "POST",
            "releases",
            json!({"version": "v2", "force": true, "auto_promote": false}),
            Command::Deploy { image: None, version: text("v2"), force: true, auto_promote: Some(false) },
        ),
        (
            "POST",
            "releases",
            json!({"image": "org/app:prod", "version": null}),
            Command::Deploy { image: text("org/app:prod"), version: None, force: false, auto_promote: None },
        ),
        ("POST", "promote", json!({"force": true}), Command::Promote { force: true }),
        ("POST", "abort", json!({}), Command::Abort),
        (
            "POST",
            "rollback",
            json!({"to": "shop-3", "quarantine": true}),
            Command::Rollback { to: text("shop-3"), quarantine: true, force: false },
        ),
        ("POST", "pause", json!({}), Command::Pause),
        ("POST", "resume", json!({}), Command::Resume),
        (
            "PUT",
            "pin",
            json!({"reason": "holiday", "for": "1h30m"}),
            Command::Pin { reason: text("holiday"), lasts: Some(Duration::from_mins(90)) },
        ),
        ("DELETE", "pin", json!({}), Command::Unpin),
    ];
    for (method, path, body, command) in cases {
        let request = api.request(method.parse().unwrap(), &format!("/v1/services/shop/{path}"));
        let response = request.json(&body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer, json!({"id": "shop-7", "noop": false, "message": "done"}));
        let last = api.seen().pop().unwrap();
        assert_eq!(
            (last.service.as_str(), last.command, last.precondition),
            ("shop", command, None),
            "{path}"
        );
    }
}

#[tokio::test]
async fn no_body_is_an_empty_one() {
    let api = Api::start();
    for path in ["releases", "promote", "abort", "rollback", "pause", "resume"] {
        let response = api.request(Method::POST, &format!("/v1/services/shop/{path}")).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(api.request(method, "/v1/services/shop/pin").send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn bodies_that_make_no_sense() {
    let api = Api::start();
    let bad = [
        ("releases", "{"),
        ("releases", "[]"),
        ("releases", "null"),
        ("releases", "\"version\""),
        ("releases", "{\"version\": 7}"),
        ("releases", "{\"version\": \"\"}"),
        ("releases", "{\"version\": \"a\\nb\"}"),
        ("releases", "{\"versoin\": \"v2\"}"),
        ("releases", "{\"force\": \"yes\"}"),
        ("releases", "{\"force\": null}"),
        ("releases", "{\"force\": true, \"force\": false}"),
        ("releases", "{\"version\": \"v2\"} trailing"),
        ("promote", "{\"quarantine\": true}"),
        ("abort", "{\"force\": true}"),
        ("pause", "[]"),
    ];
    for (path, body) in bad {
        let request = api.request(Method::POST, &format!("/v1/services/shop/{path}"));
        let request = request.header("content-type", "application/json; charset=utf-8").body(body);
        let detail = problem(request.send().await.unwrap(), 400, "bad-request").await;
        assert!(!detail.is_empty(), "{path} {body}");
    }
    for wait in ["0s", "soon", "-1s", "1.5h"] {
        let request = api.request(Method::PUT, "/v1/services/shop/pin").json(&json!({"for": wait}));
        problem(request.send().await.unwrap(), 400, "bad-request").await;
    }
    let plain = api.request(Method::POST, "/v1/services/shop/releases").body("{}");
    problem(plain.send().await.unwrap(), 415, "wrong-media-type").await;
    let form = api.request(Method::POST, "/v1/services/shop/releases").body("force=1");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    problem(form.send().await.unwrap(), 415, "wrong-media-type").await;
    let large = format!("{{\"version\": \"{}\"}}", "x".repeat(64 * 1024));
    let large = api.request(Method::POST, "/v1/services/shop/releases").body(large);
    problem(large.send().await.unwrap(), 413, "too-large").await;
    assert!(api.seen().is_empty());
}

#[tokio::test]
async fn a_started_release_is_a_202_with_its_address() {
    let api = Api::answering(|_| Ok(Done { accepted: true, ..done("on its way") }));
    let response = api.post("/v1/services/shop/releases", json!({"version": "v2"})).await;
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["location"], "/v1/releases/shop-7");
}

#[tokio::test]
async fn nothing_to_do_is_a_200() {
    let api = Api::answering(|_| Ok(Done { noop: true, ..done("v2 is active already") }));
    let response = api.post("/v1/services/shop/releases", json!({"version": "v2"})).await;
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    assert_eq!((&answer["id"], &answer["noop"]), (&json!("shop-7"), &json!(true)));
}

#[tokio::test]
async fn refusals() {
    let api = Api::answering(|seen| {
        Err(match seen.service.as_str() {
            "service" => Rejection::UnknownService("service".into()),
            "release" => Rejection::UnknownRelease("r-1".into()),
            "conflict" => Rejection::Conflict {
                code: RefusalCode::Pinned,
                why: "pinned: unpin it, or use --force".into(),
            },
            "stale" => Rejection::Stale("the epoch is 4".into()),
            "invalid" => Rejection::Invalid("no image".into()),
            _ => Rejection::Unavailable {
                code: RefusalCode::StoreUnwritable,
                why: "the store can't be written".into(),
            },
        })
    });
    for (service, status, slug) in [
        ("service", 404, "not-found"),
        ("release", 404, "not-found"),
        ("conflict", 409, "conflict"),
        ("stale", 412, "stale"),
        ("invalid", 400, "bad-request"),
    ] {
        problem(api.post(&format!("/v1/services/{service}/rollback"), json!({})).await, status, slug).await;
    }
    let response = api.post("/v1/services/unavailable/rollback", json!({})).await;
    assert_eq!(response.headers()["retry-after"], "1");
    let detail = problem(response, 503, "unavailable").await;
    assert_eq!(detail, "the store can't be written");
}

/// Every refusal of the step, with the code by which a script recognizes it.
fn refused() -> Vec<(Refusal, &'static str)> {
    let version = || "v2".to_owned();
    let refused = vec![
        (Refusal::SameVersion { version: version() }, "same_version"),
        (Refusal::UnderWay { version: version(), release: "shop-6".into() }, "under_way"),
        (Refusal::OlderPush { version: version(), seconds: 3 }, "older_push"),
        (Refusal::SeenBefore { version: version(), how: "found" }, "seen_before"),
        (Refusal::Pinned { reason: None }, "pinned"),
        (Refusal::Quarantined { version: version(), why: "errors".into() }, "quarantined"),
        (Refusal::WrongState { command: "abort", state: "stable", hint: "deploy" }, "wrong_state"),
        (Refusal::NoRollback("no version is kept"), "no_rollback"),
        (Refusal::UnknownRelease("shop-1".into()), "unknown_release"),
        (Refusal::NotQuarantined(version()), "not_quarantined"),
        (Refusal::StoreUnwritable, "store_unwritable"),
        (Refusal::Stale("shop-5".into()), "stale"),
        (Refusal::Unexpected { fact: "pulled", state: "baking" }, "unexpected"),
    ];
    for (variant, _) in &refused {
        // A new variant has to be added to the list above too.
        match variant {
            Refusal::SameVersion { .. }
            | Refusal::UnderWay { .. }
            | Refusal::OlderPush { .. }
            | Refusal::SeenBefore { .. }
            | Refusal::Pinned { .. }
            | Refusal::Quarantined { .. }
            | Refusal::WrongState { .. }
            | Refusal::NoRollback(_)
            | Refusal::UnknownRelease(_)
            | Refusal::NotQuarantined(_)
            | Refusal::StoreUnwritable
            | Refusal::Stale(_)
            | Refusal::Unexpected { .. } => {}
        }
    }
    refused
}

#[tokio::test]
async fn a_refusal_has_a_code() {
    let text = || "text".to_owned();
    let mut cases: Vec<(Rejection, &str)> =
        refused().into_iter().map(|(refused, code)| (Rejection::from(refused), code)).collect();
    cases.extend([
        (Rejection::UnknownService(text()), "unknown_service"),
        (Rejection::UnknownRelease(text()), "unknown_release"),
        (Rejection::Stale(text()), "stale"),
        (Rejection::Invalid(text()), "invalid"),
        (Rejection::Conflict { code: RefusalCode::ImageUnavailable, why: text() }, "image_unavailable"),
        (Rejection::Conflict { code: RefusalCode::NotSwitched, why: text() }, "not_switched"),
        (Rejection::Unavailable { code: RefusalCode::Busy, why: text() }, "busy"),
        (Rejection::Unavailable { code: RefusalCode::Stopping, why: text() }, "stopping"),
    ]);
    let answers: Vec<Rejection> = cases.iter().map(|(rejection, _)| rejection.clone()).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let api = Api::answering(move |_| Err(answers[next.fetch_add(1, Ordering::SeqCst)].clone()));
    let mut seen = std::collections::BTreeSet::new();
    for (rejection, code) in cases {
        let response = api.post("/v1/services/shop/rollback", json!({})).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem: Value = response.json().await.unwrap();
        assert_eq!((&problem["code"], &problem["detail"]), (&json!(code), &json!(rejection.to_string())));
        seen.insert(code.to_owned());
    }
    let document: Value = api.get("/openapi.json").await.json().await.unwrap();
    let codes = document["components"]["schemas"]["RefusalCode"]["enum"].as_array().unwrap();
    let documented = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, documented, "the document names every code, and each was answered");
}

#[tokio::test]
async fn a_problem_that_is_no_refusal_has_no_code() {
    let api = Api::start();
    let problem: Value = api.get("/v1/nowhere").await.json().await.unwrap();
    assert!(problem.get("code").is_none(), "{problem}");
}

#[test]
fn a_code_that_is_not_known_yet_is_no_fault() {
    let newer = json!({
        "type": "urn:greenlight:problem:conflict", "title": "t", "status": 409, "detail": "d", "code": "too_late"
    });
    let problem: crate::control_plane::admin::Problem = serde_json::from_value(newer).unwrap();
    assert_eq!(problem.code, None);
}

#[tokio::test]
async fn preconditions_reach_the_loop() {
    let api = Api::start();
    let promote = |value: &'static str| {
        api.request(Method::POST, "/v1/services/shop/promote").header("if-match", value).send()
    };
    for (value, expected) in
        [("\"7\"", Some(Precondition::Epoch(7))), ("\"r41\"", Some(Precondition::Revision(41))), ("*", None)]
    {
        assert_eq!(promote(value).await.unwrap().status(), 200, "{value}");
        assert_eq!(api.seen().pop().unwrap().precondition, expected);
    }
    problem(promote("7").await.unwrap(), 400, "bad-request").await;
    assert_eq!(api.seen().len(), 3);
}

#[tokio::test]
async fn a_reload_reports_and_a_faulty_file_is_a_422() {
    let api = Api::start();
    let report = ReloadReport {
        applied: vec!["services.shop.health.interval".into()],
        needs_restart: vec!["runtime.workers".into()],
        faults: Vec::new(),
    };
    *api.reload.lock().unwrap() = report.clone();
    let response = api.request(Method::POST, "/v1/reload").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<ReloadReport>().await.unwrap(), report);
    *api.reload.lock().unwrap() = ReloadReport { faults: vec!["a".into(), "b".into()], ..report };
    let response = api.request(Method::POST, "/v1/reload").send().await.unwrap();
    assert_eq!(response.status(), 422);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["faults"], json!(["a", "b"]));
    assert_eq!(problem["detail"], "the file has 2 faults: nothing was changed");
}
