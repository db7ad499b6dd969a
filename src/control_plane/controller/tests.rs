//! The loop with a real store, a real prober and real endpoints. Only the workers are missing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod flaky;
mod rig;
mod slow_disk;
mod synthetic;
mod table;

use std::time::Duration;

use super::{Command, Precondition, RefusalCode, Rejection};
use crate::judge::Verdict;
use crate::model::Color;
use crate::release::StateName;
use flaky::Flaky;
use rig::{Origin, Rig};

fn deploy(version: &str) -> Command {
    Command::Deploy { image: None, version: Some(version.to_owned()), force: false, auto_promote: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_is_gated_and_switched_and_its_story_is_written() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    let done = rig.command(deploy("v2")).await.unwrap();
    assert_eq!(done.release.as_deref(), Some("backend-1"));
    assert!(done.accepted && !done.noop);
    let baking = rig.until("baking", |service| service.state == StateName::Baking).await;
    assert_eq!((baking.active.as_str(), baking.epoch), ("green", 1));
    let route = std::sync::Arc::clone(&rig.table.load().services()[0]);
    assert_eq!((route.active.as_str(), route.epoch.0), ("green", 1));
    let record = rig.record("backend-1").await.unwrap();
    assert_eq!((record.state.as_str(), record.version.as_str()), ("baking", "v2"));
    assert!(record.promoted_at.is_some() && record.finished_at.is_none());
    let words = rig.story("backend-1").await;
    assert_eq!(words, ["checking", "promoting", "baking"]);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_candidate_is_reverted_and_quarantined_and_its_record_says_so() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.command(deploy("v2")).await.unwrap();
    rig.until("baking", |service| service.state == StateName::Baking).await;
    green.down();
    let service = rig.until("reverted", |service| service.state == StateName::Stable).await;
    assert_eq!((service.active.as_str(), service.epoch), ("blue", 2));
    let record = rig.record("backend-1").await.unwrap();
    assert_eq!((record.state.as_str(), record.verdict), ("reverted", Some(Verdict::Fail)));
    assert!(record.finished_at.is_some());
    let quarantine = rig.handle.views().quarantine.clone();
    assert_eq!(quarantine.len(), 1);
    assert_eq!((quarantine[0].version.as_str(), quarantine[0].release.as_str()), ("v2", "backend-1"));
    assert!(!quarantine[0].since.is_empty());
    let again = rig.command(deploy("v2")).await.unwrap_err();
    assert!(
        matches!(&again, Rejection::Conflict { code: RefusalCode::Quarantined, why } if why.contains("quarantine")),
        "{again}"
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unwritable_store_refuses_releases_and_takes_them_again_once_it_can() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.store.fail(true);
    let refused = rig.command(deploy("v2")).await.unwrap_err();
    assert!(
        matches!(&refused, Rejection::Conflict { code: RefusalCode::StoreUnwritable, why } if why.contains("/store: ") && why.contains(" free")),
        "{refused}"
    );
    let service = rig.until("the alarm", |service| service.alarms.contains_key("store-unwritable")).await;
    assert_eq!(service.state, StateName::Stable);
    assert_eq!(rig.table.load().services()[0].active.as_str(), "blue");
    rig.store.fail(false);
    rig.until("the alarm's end", |service| service.alarms.is_empty()).await;
    rig.command(deploy("v2")).await.unwrap();
    rig.until("baking", |service| service.state == StateName::Baking).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_needs_no_store_and_is_written_when_it_can() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.command(deploy("v2")).await.unwrap();
    rig.until("baking", |service| service.state == StateName::Baking).await;
    rig.store.fail(true);
    green.down();
    let service = rig.until("the revert", |service| service.active == Color::Blue).await;
    assert_eq!(service.epoch, 2);
    assert_eq!(rig.table.load().services()[0].active.as_str(), "blue");
    assert_ne!(rig.record("backend-1").await.unwrap().state, StateName::Reverted);
    rig.store.fail(false);
    rig.until("the alarm's end", |service| service.alarms.is_empty()).await;
    assert_eq!(rig.record("backend-1").await.unwrap().state, StateName::Reverted);
    let words = rig.story("backend-1").await;
    assert_eq!(words.last().map(String::as_str), Some("reverted"), "{words:?}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_goes_back_and_holds_requests_while_the_store_can_not_be_written() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.command(deploy("v2")).await.unwrap();
    rig.until("baking", |service| service.state == StateName::Baking).await;
    rig.store.fail(true);
    rig.command(Command::Pause).await.unwrap();
    assert!(rig.table.load().services()[0].paused);
    rig.command(Command::Resume).await.unwrap();
    let done = rig.command(Command::Rollback { to: None, quarantine: false, force: false }).await.unwrap();
    assert!(done.message.contains("the store can't be written"), "{}", done.message);
    let service = rig.service();
    assert_eq!((service.active, service.epoch), (Color::Blue, 2));
    assert!(service.alarms.contains_key("store-unwritable"));
    assert_eq!(rig.table.load().services()[0].active, Color::Blue);
    rig.store.fail(false);
    rig.until("the alarm's end", |service| service.alarms.is_empty()).await;
    let rig = rig.restart().await;
    let service = rig.service();
    assert_eq!((service.active, service.epoch, service.paused), (Color::Blue, 2, false));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_serves_the_stored_color_and_goes_on_with_the_bake() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.command(deploy("v2")).await.unwrap();
    let before = rig.until("baking", |service| service.state == StateName::Baking).await;
    let rig = rig.restart().await;
    let first = rig.service();
    assert_eq!((first.active.as_str(), first.epoch, first.state.as_str()), ("green", 1, "baking"));
    assert_eq!(rig.table.load().services()[0].active.as_str(), "green");
    let release = first.release.clone().unwrap();
    assert_eq!(release.started_at, before.release.clone().unwrap().started_at);
    let done = rig.command(Command::Rollback { to: None, quarantine: false, force: false }).await.unwrap();
    assert!(!done.accepted, "{done:?}");
    let after = rig.service();
    assert_eq!((after.active.as_str(), after.epoch), ("blue", 2));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_precondition_changes_nothing() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    let stale = rig.command_if(Command::Pause, Some(Precondition::Epoch(7))).await.unwrap_err();
    assert!(matches!(stale, Rejection::Stale(_)), "{stale}");
    assert!(!rig.service().paused);
    rig.command_if(Command::Pause, Some(Precondition::Epoch(0))).await.unwrap();
    assert!(rig.service().paused);
    assert!(rig.table.load().services()[0].paused);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_what_can_be_changed_and_a_faulty_file_nothing() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.rewrite(|text| text.replace("hosts = [\"backend.example.org\"]", "hosts = [\"new.example.org\"]"));
    let report = rig.reload().await.unwrap();
    assert!(report.faults.is_empty(), "{report:?}");
    assert!(report.applied.iter().any(|key| key == "services.backend.hosts"), "{report:?}");
    assert!(rig.table.load().find(b"new.example.org").is_some());
    assert!(rig.table.load().find(b"backend.example.org").is_none());
    rig.rewrite(|text| text.replace("hosts = ", "hostz = "));
    let report = rig.reload().await.unwrap();
    assert!(report.applied.is_empty() && !report.faults.is_empty(), "{report:?}");
    assert!(rig.table.load().find(b"new.example.org").is_some());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_to_another_kind_of_upstream_keeps_the_endpoints_until_the_restart() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.rewrite(|text| {
        let is_address = |line: &&str| line.starts_with("blue = ") || line.starts_with("green = ");
        let kept: Vec<&str> = text.lines().filter(|line| !is_address(line)).collect();
        let containers =
            "[services.backend.upstream]\nkind = \"docker\"\nimage = \"org/app:prod\"\nreplicas = 7";
        kept.join("\n").replace("[services.backend.upstream]", containers)
    });
    for _ in 0..2 {
        let report = rig.reload().await.unwrap();
        assert!(report.faults.is_empty(), "{report:?}");
        assert!(report.needs_restart.iter().any(|key| key == "services.backend.upstream.kind"), "{report:?}");
        assert!(report.applied.iter().all(|key| !key.contains("upstream")), "{report:?}");
        let table = rig.table.load();
        assert_eq!(table.services()[0].colors.blue.endpoints.len(), 1, "{report:?}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_newer_format_is_not_touched() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.command(Command::Pause).await.unwrap();
    let folder = rig.stop().await;
    Flaky::open(&folder.path().join("store")).overwrite("backend", "{\"format\": 99, \"other\": true}").await;
    let fault = Rig::try_again(folder).await.unwrap_err();
    assert!(fault.to_string().contains("format 99"), "{fault}");
}

/// How long anything here may take before a test fails.
const PATIENCE: Duration = Duration::from_mins(1);
