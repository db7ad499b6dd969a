//! Hooks of a release as HTTP calls: what waits for them, and what a failure does.

use serde_json::{Value, json};

use crate::kit::{Secrets, quick, until};
use crate::stub::{Answer, Stub};
use greenlight_testkit::house::{House, PATIENCE, SERVICE, START, Setup};

fn hooks(points: &[(&str, String)]) -> String {
    let lines: Vec<String> = points
        .iter()
        .map(|(point, url)| format!("{point} = {{ url = \"{url}\", timeout = \"10s\" }}\n"))
        .collect();
    format!("[services.{SERVICE}.hooks]\n{}", lines.concat())
}

async fn history(house: &House) -> Vec<String> {
    house
        .admin()
        .history(SERVICE)
        .await
        .unwrap()
        .into_iter()
        .map(|release| release.state.to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_switch_waits_for_pre_promote_and_fails_by_it() {
    let (mut before, mut after) = (Stub::start().await, Stub::start().await);
    let more =
        hooks(&[("pre_promote", before.url("/pre?key=SECRETKEY")), ("post_promote", after.url("/post"))]);
    let house = House::open(&Setup { more, ..quick() }).await;
    before.answers(Answer::Never);
    let release = house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    let call = before.next(PATIENCE).await;
    let told = call.json();
    assert_eq!(call.field("x-greenlight-event"), Some("pre_promote"));
    assert_eq!((&told["hook"], &told["version"]), (&json!("pre_promote"), &json!("v2")));
    assert_eq!((&told["release"], &told["color"]), (&json!(release), &json!("green")));
    assert_eq!(told["endpoints"], json!([house.upstreams.green[0].address.to_string()]));
    // It has not been answered: the switch waits.
    let service = house.admin().service(SERVICE).await.unwrap();
    assert_eq!((service.state.as_str(), service.active.as_str(), service.epoch), ("checking", "blue", 0));
    assert!(after.rest().is_empty());

    // A newer one takes its place; its own hook is refused, and the release fails with the reason.
    before.answers(Answer::Status(503));
    house.admin().deploy(SERVICE, "v3", true).await.unwrap();
    let failed = until(&house, "v3", "failed").await;
    assert_eq!(failed.reason, "the pre_promote hook failed: it answered 503 Service Unavailable: the why");
    assert!(after.rest().is_empty());

    before.answers(Answer::Status(204));
    house.admin().deploy(SERVICE, "v4", true).await.unwrap();
    until(&house, "v4", "succeeded").await;
    assert_eq!(after.next(PATIENCE).await.json()["hook"], "post_promote");
    assert_eq!(history(&house).await, ["succeeded", "failed", "cancelled"]);
    let log = std::fs::read_to_string(&house.door.log).unwrap();
    assert!(!log.contains("SECRETKEY"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_after_the_switch_raise_alarms_and_move_nothing() {
    let secrets = Secrets::new();
    let (mut hook, mut news) = (Stub::start().await, Stub::start().await);
    hook.answers(Answer::Status(500));
    let url = secrets.file("url", &news.url("/"));
    let more = format!(
        "{}[[notifiers]]\nkind = \"webhook\"\nurl = {url}\nevents = [\"alarm\"]\n",
        hooks(&[("post_promote", hook.url("/post")), ("on_revert", hook.url("/back"))])
    );
    let release = "bake_time = \"10m\"\nstandby_ttl = \"1h\"";
    let house = House::open(&Setup { release, more, ..quick() }).await;
    house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    assert_eq!(hook.next(PATIENCE).await.path, "/post");
    let alarm = news.next(PATIENCE).await.json();
    assert_eq!(alarm["alarm"], json!({ "name": "hook-failed", "raised": true }), "{alarm}");
    let raised = |service: &greenlight::control_plane::controller::ServiceView| {
        service.alarms.contains_key("hook-failed")
    };
    let service = house.admin().until(SERVICE, "the alarm", PATIENCE, raised).await.unwrap();
    assert_eq!((service.state.as_str(), service.active.as_str()), ("baking", "green"));
    assert!(service.alarms["hook-failed"].contains("greenlight rollback backend"), "{:?}", service.alarms);

    // On the way back: called, and not waited for.
    hook.answers(Answer::Never);
    let answer: Value = house
        .admin()
        .json("POST", &format!("/v1/services/{SERVICE}/rollback"), Some(&json!({})))
        .await
        .unwrap();
    assert!(answer.is_object());
    until(&house, "v2", "rolled_back").await;
    let back = hook.next(PATIENCE).await;
    assert_eq!((back.path.as_str(), &back.json()["hook"]), ("/back", &json!("on_revert")));
    assert_eq!(house.admin().service(SERVICE).await.unwrap().active.as_str(), "blue");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_a_kill_cut_short_is_run_again() {
    let mut hook = Stub::start().await;
    hook.answers(Answer::Never);
    let mut house =
        House::open(&Setup { more: hooks(&[("pre_promote", hook.url("/pre"))]), ..quick() }).await;
    let release = house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    let first = hook.next(PATIENCE).await;
    house.door.kill().await.unwrap();
    hook.answers(Answer::Status(200));
    house.start_again();
    house.door.ready(START).await.unwrap();
    let again = hook.next(PATIENCE).await;
    assert_eq!(again.field("x-greenlight-delivery"), Some(format!("{release}/pre_promote").as_str()));
    assert_eq!(again.field("x-greenlight-delivery"), first.field("x-greenlight-delivery"));
    assert_eq!(house.until_final(&release).await, "succeeded");
    assert!(hook.rest().is_empty(), "one result is enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_nobody_waits_for_is_given_up() {
    let mut hook = Stub::start().await;
    hook.answers(Answer::Never);
    let house = House::open(&Setup { more: hooks(&[("pre_promote", hook.url("/pre"))]), ..quick() }).await;
    house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    hook.next(PATIENCE).await;
    let aborted =
        house.admin().ask("POST", &format!("/v1/services/{SERVICE}/abort"), Some(&json!({}))).await.unwrap();
    assert_eq!(aborted.status, 200);
    let cancelled = until(&house, "v2", "cancelled").await;
    assert_eq!(cancelled.reason, "aborted by a person");
    // No answer within its time is a failure with a name.
    let limits = house.door.config.clone();
    let text = std::fs::read_to_string(&limits).unwrap().replace("timeout = \"10s\"", "timeout = \"200ms\"");
    std::fs::write(&limits, text).unwrap();
    let reloaded = house.admin().ask("POST", "/v1/reload", Some(&json!({}))).await.unwrap();
    assert_eq!(reloaded.status, 200);
    house.admin().deploy(SERVICE, "v3", true).await.unwrap();
    let late = until(&house, "v3", "failed").await;
    assert_eq!(late.reason, "the pre_promote hook failed: it did not answer within 200ms");
}
