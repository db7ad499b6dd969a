//! A push becomes a release: a good one, and one that is bad.

use std::time::Duration;

use crate::site::{PATIENCE, Setup, Site, shared};
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::image::Recipe;

/// v2 is pushed; the registry itself tells; three containers are pulled by digest and started; their
/// app needs ten seconds; the load moves; v1 is stopped after its standby. Nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_becomes_a_release() {
    if !available() {
        return;
    }
    let site = Site::open(&Setup { replicas: 3, ..Setup::new("pushed", shared().await) }).await;
    let v1 = site.push("prod", &Recipe::new("v1")).await;
    let first = site.until_released(&v1).await;
    assert_eq!((first.state.as_str(), first.color.as_str()), ("succeeded", "blue"), "{first:?}");
    let load = site.load(8, 100.0);
    assert!(load.until(PATIENCE, |counts| counts.of("v1") > 200).await);

    let pushed_at = tokio::time::Instant::now();
    let v2 =
        site.push("prod", &Recipe::new("v2").with(&["--start-delay", "10s", "--refuse-until-ready"])).await;
    site.until("v2 has the traffic", |service| {
        service.release.as_ref().is_some_and(|last| last.version.contains(&v2) && last.promoted_at.is_some())
    })
    .await;
    let ready_after = pushed_at.elapsed();
    assert!(ready_after >= Duration::from_secs(10), "promoted after {ready_after:?}: its app was not ready");
    let second = site.until_released(&v2).await;
    assert_eq!((second.state.as_str(), second.color.as_str()), ("succeeded", "green"), "{second:?}");

    let all = site.until_only(&second.id).await;
    let running: Vec<_> = all.iter().filter(|one| one.running).collect();
    assert!(running.iter().all(|one| one.image.ends_with(&v2)), "by digest: {running:?}");
    // v1's are kept, stopped: a rollback starts them again.
    assert_eq!(all.iter().filter(|one| one.release == first.id).count(), 3, "{all:?}");

    let enough = load.counts().of("v2") + 100;
    assert!(load.until(PATIENCE, |counts| counts.of("v2") > enough).await);
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
    for words in ["started", "has the traffic", "succeeded"] {
        site.slack.until(&[&second.version, words], PATIENCE).await;
    }
    println!(
        "RESULT push to release: {} requests, {} lost, traffic {:.1} s after the push of an app that needs 10 s",
        counts.total(),
        counts.lost(),
        ready_after.as_secs_f64()
    );
}

/// v3 fails one request in ten: it is reverted and may not come again; v4 may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_push_is_reverted() {
    if !available() {
        return;
    }
    let release = "debounce = \"300ms\"\nbake_time = \"20s\"\nstandby_ttl = \"3s\"\ndrain_timeout = \"2s\"\nprogress_deadline = \"1m\"";
    let site = Site::open(&Setup { replicas: 3, release, ..Setup::new("bad", shared().await) }).await;
    let v1 = site.push("prod", &Recipe::new("v1")).await;
    let first = site.until_released(&v1).await;
    assert_eq!(first.state.as_str(), "succeeded", "{first:?}");
    let started = started_at(&site, &first.id).await;
    assert_eq!(started.len(), 3);
    let load = site.load(16, 200.0);
    assert!(load.until(PATIENCE, |counts| counts.of("v1") > 1000).await);

    let v3 = site.push("prod", &Recipe::new("v3").with(&["--error-rate", "0.1"])).await;
    let third = site.until_released(&v3).await;
    assert_eq!(
        (third.state.as_str(), third.verdict.map(greenlight::judge::Verdict::as_str)),
        ("reverted", Some("fail")),
        "{third:?}"
    );
    let told = site.slack.until(&[&third.version, "was reverted"], PATIENCE).await;
    assert!(told.contains("errors in") && told.contains(" requests"), "no numbers: {told}");
    site.until_explained(&third.id, "\"log_lines\":[\"{\\\"listening\\\"", 3).await;

    // The same digest again: the registry tells, and it is refused; so is a person without force.
    let pushes = pushes_heard(&site);
    assert_eq!(site.push_again("prod").await, v3);
    site.until("the push is heard", |_| pushes_heard(&site) > pushes).await;
    let (status, body) = site.deploy(&site.image("prod")).await;
    assert_eq!(status, 409, "{body}");
    assert!(body.to_string().contains("quarantine"), "{body}");
    let view = site.view().await;
    assert_eq!(view.release.as_ref().map(|last| last.id.as_str()), Some(third.id.as_str()), "{view:?}");

    assert_eq!(started_at(&site, &first.id).await, started, "v1 was stopped or started again");
    let v4 = site.push("prod", &Recipe::new("v4")).await;
    let fourth = site.until_released(&v4).await;
    assert_eq!(fourth.state.as_str(), "succeeded", "{fourth:?}");
    site.until_only(&fourth.id).await;
    let counts = load.stop().await;
    // What was lost is what v3 answered itself.
    assert_eq!(counts.lost(), counts.failed_by("v3"), "{:?}", counts.losses);
    println!(
        "RESULT bad push: reverted ({}), {} of {} requests failed, all by v3",
        third.reason,
        counts.lost(),
        counts.total()
    );
}

/// How many pushes the front door's log tells of.
fn pushes_heard(site: &Site) -> usize {
    site.log().matches("what=push of").count()
}

/// When each running container of a release was started.
async fn started_at(site: &Site, release: &str) -> Vec<String> {
    let mut times = Vec::new();
    for one in site.containers().await.iter().filter(|one| one.running && one.release == release) {
        let inspected = site.api.inspect_container(&one.id, None).await.unwrap();
        times.push(inspected.state.unwrap().started_at.unwrap());
    }
    times
}
