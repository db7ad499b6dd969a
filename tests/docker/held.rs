//! Calls of an engine that are never answered, and kept containers that can't be started any more.

use bollard::models::NetworkCreateRequest;

use crate::site::{Setup, Site, shared};
use greenlight::control_plane::controller::ServiceView;
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::image::Recipe;

const RELEASE: &str = "debounce = \"0s\"\nbake_time = \"1s\"\nstandby_ttl = \"1s\"\ndrain_timeout = \"1s\"\nprogress_deadline = \"1m\"";

/// Releases a version, which has to succeed.
async fn released(site: &Site, tag: &str) -> String {
    site.push(tag, &Recipe::new(tag)).await;
    let release = site.release(&site.image(tag)).await;
    let ended = site.until_final(&release).await;
    assert_eq!(ended.state.as_str(), "succeeded", "{ended:?}");
    release
}

/// The logs of a failed release and the stop of an old set are never answered. Later releases go on, and an
/// alarm names the container.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_never_answered_holds_no_later_release() {
    if !available() {
        return;
    }
    let setup = Setup {
        release: RELEASE,
        told: false,
        relayed: true,
        upstream: "publish = \"loopback\"\nstop_timeout = \"1s\"",
        ..Setup::new("held", shared().await)
    };
    let site = Site::open(&setup).await;
    let engine = &site.relays.as_ref().unwrap().engine;
    let first = released(&site, "v1").await;

    engine.hold(&["GET ", "/logs"]);
    site.push("v9", &Recipe::new("v9").with(&["--crash-after", "200ms"])).await;
    let crashed = site.release(&site.image("v9")).await;
    assert_eq!(site.until_final(&crashed).await.state.as_str(), "failed");
    site.until_containers("the failed set is removed", |all| all.iter().all(|one| one.release != crashed))
        .await;
    engine.let_go();

    engine.hold(&["POST ", "/stop"]);
    released(&site, "v2").await;
    let old = site.containers().await.into_iter().find(|one| one.release == first).unwrap();
    let named = |service: &ServiceView| {
        let alarm = service.alarms.get("container-stuck");
        alarm.is_some_and(|why| why.contains("greenlight-held-1") && why.contains("its stop"))
    };
    let view = site.until("the alarm names the container", named).await;
    println!("RESULT held: {}", view.alarms["container-stuck"]);
    released(&site, "v3").await;
    assert!(site.containers().await.iter().any(|one| one.id == old.id && one.running));
    engine.let_go();
    let over = |service: &ServiceView| !service.alarms.contains_key("container-stuck");
    site.until("the alarm is over", over).await;
    site.until_containers("the old set is stopped", |all| {
        all.iter().all(|one| one.release != first || !one.running)
    })
    .await;
}

/// The network of a kept set is gone, and the configuration names another one. A rollback makes the set anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_set_that_can_not_be_started_is_created_anew() {
    if !available() {
        return;
    }
    let engine = shared().await;
    let network = "kept-network";
    let request = NetworkCreateRequest { name: network.to_owned(), ..NetworkCreateRequest::default() };
    engine.api().await.create_network(request).await.unwrap();
    let setup = Setup {
        release: RELEASE,
        told: false,
        upstream: "publish = \"loopback\"\nnetwork = \"kept-network\"\nstop_timeout = \"1s\"",
        ..Setup::new("anew", engine)
    };
    let site = Site::open(&setup).await;
    let first = released(&site, "v1").await;
    site.reload("network = \"kept-network\"", "network = \"bridge\"").await;
    let second = released(&site, "v2").await;
    site.until_only(&second).await;
    let old: Vec<String> = site.containers().await.into_iter().map(|one| one.id).collect();
    site.api.remove_network(network).await.unwrap();

    site.say("POST", "rollback").await;
    let back = |service: &ServiceView| {
        service.release.as_ref().is_some_and(|release| release.kind == "rollback" && release.state.is_final())
    };
    let view = site.until("the rollback has ended", back).await;
    let release = view.release.unwrap();
    assert_eq!(release.state.as_str(), "succeeded", "{release:?}");
    let runs = |one: &crate::site::Seen| one.running && one.release == first;
    let all = site.until_containers("v1 runs", |all| all.iter().filter(|one| runs(one)).count() == 2).await;
    assert!(all.iter().filter(|one| runs(one)).all(|one| !old.contains(&one.id)), "{all:?}");
}
