//! `kill -9` of the front door, and of dockerd, in each state of a release: afterwards exactly the right containers
//! run, and the release is finished, or failed with a reason.
//!
//! The apps are on the host's network: published ports die with the daemon.

use std::time::Duration;

use greenlight::controller::{ReleaseView, is_final};
use tokio::time::Instant;

use crate::docker::image::Recipe;
use crate::docker::{available, engine};
use crate::site::{PATIENCE, Setup, Site, started};
use crate::support::{START, setting};

const UPSTREAM: &str = "network = \"host\"\nstop_timeout = \"2s\"\nport = ";
const RELEASE: &str = "debounce = \"0s\"\nbake_time = \"7s\"\nstandby_ttl = \"2s\"\ndrain_timeout = \"1s\"\nprogress_deadline = \"30s\"";
/// How long dockerd is away.
const AWAY: Duration = Duration::from_secs(1);

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Door,
    Engine,
}

/// Where a release is when it happens, and what becomes of it.
struct Moment {
    state: &'static str,
    recipe: fn(String) -> Recipe,
    /// A release that is not promoted by itself waits there.
    auto_promote: bool,
    ends: &'static [&'static str],
}

const MOMENTS: &[Moment] = &[
    // A large image takes a while to come.
    Moment {
        state: "pulling",
        recipe: |version| Recipe { ballast_mib: 48, ..plain(version) },
        auto_promote: true,
        ends: &["succeeded", "failed"],
    },
    Moment { state: "starting", recipe: plain, auto_promote: true, ends: &["succeeded", "failed"] },
    Moment {
        state: "checking",
        recipe: |version| plain(version).with(&["--start-delay", "2s"]),
        auto_promote: true,
        ends: &["succeeded"],
    },
    Moment { state: "awaiting_promotion", recipe: plain, auto_promote: false, ends: &["succeeded"] },
    Moment { state: "baking", recipe: plain, auto_promote: true, ends: &["succeeded"] },
    // After the switch back: v-bad is stopped and kept, the old one serves.
    Moment {
        state: "reverted",
        recipe: |version| plain(version).with(&["--error-rate", "0.5"]),
        auto_promote: true,
        ends: &["reverted"],
    },
    // The old colour is to be drained and stopped.
    Moment { state: "succeeded", recipe: plain, auto_promote: true, ends: &["succeeded"] },
];

fn plain(version: String) -> Recipe {
    Recipe { on_loopback: true, version, ..Recipe::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_front_door_leaves_no_container_astray() {
    every_state(Victim::Door).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_engine_leaves_no_container_astray() {
    every_state(Victim::Engine).await;
}

async fn every_state(victim: Victim) {
    if !available() {
        return;
    }
    let engine = started(engine::Options { live_restore: true, disk: None }).await;
    // Ports of its own, from here on: four sets of two at most at a time.
    let first_port = if victim == Victim::Door { 18_100 } else { 18_200 };
    let upstream = format!("{UPSTREAM}{first_port}");
    let service = if victim == Victim::Door { "killed-door" } else { "killed-engine" };
    let setup = Setup { upstream: &upstream, release: RELEASE, ..Setup::new(service, &engine) };
    let mut site = Site::open(&setup).await;
    site.push("v0", &plain("v0".to_owned())).await;
    let first = site.release(&site.image("v0")).await;
    let ended = site.until_final(&first).await;
    assert_eq!(ended.state, "succeeded", "{ended:?}");
    let mut serving = first;
    let rounds: usize = setting("GREENLIGHT_DOCKER_KILLS", 1);
    let mut met = Vec::new();
    for (number, moment) in MOMENTS.iter().cycle().take(MOMENTS.len() * rounds).enumerate() {
        let version = format!("v{}", number + 1);
        site.push(&version, &(moment.recipe)(version.clone())).await;
        let before = site.view().await;
        let load = site.load(4, 100.0);
        let id = begin(&site, &version, moment).await;
        let seen = until_moment(&site, &id, moment.state).await;
        match victim {
            Victim::Door => {
                site.door.kill().await.unwrap();
                site.start_again();
                site.door.ready(START).await.unwrap();
            }
            Victim::Engine => tokio::task::block_in_place(|| {
                engine.kill();
                std::thread::sleep(AWAY);
                engine.start_again();
            }),
        }
        if !moment.auto_promote {
            promote_if_waiting(&site).await;
        }
        let last = site.until_final(&id).await;
        assert!(moment.ends.contains(&last.state.as_str()), "{victim:?} killed in {seen}: {last:?}");
        assert!(!last.reason.is_empty(), "{last:?}");
        if last.state == "succeeded" {
            serving = id.clone();
        }
        let all = site.until_only(&serving).await;
        // Nothing that was only created, and nothing of a release that failed.
        let failed = last.state == "failed";
        assert!(!failed || all.iter().all(|one| one.release != id), "left of {id}: {all:?}");
        let view = site.view().await;
        assert!(view.epoch >= before.epoch && view.state == "stable", "{view:?}");
        let counts = load.stop().await;
        if victim == Victim::Engine && moment.state != "reverted" {
            assert_eq!(counts.lost(), 0, "the data path stood still in {seen}: {:?}", counts.losses);
        }
        met.push(format!("{seen} -> {}", last.state));
    }
    println!("RESULT {victim:?} killed: {}", met.join(", "));
}

async fn begin(site: &Site, version: &str, moment: &Moment) -> String {
    let path = format!("/v1/services/{}/releases", site.service);
    let body = serde_json::json!({ "image": site.image(version), "auto_promote": moment.auto_promote });
    let answer: serde_json::Value = site.admin().json("POST", &path, Some(&body)).await.unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

/// Waits for the state, or for one that comes after it; the state that was found.
async fn until_moment(site: &Site, id: &str, state: &str) -> String {
    const ORDER: [&str; 8] = [
        "queued",
        "pulling",
        "starting",
        "checking",
        "awaiting_promotion",
        "promoting",
        "baking",
        "reverting",
    ];
    let place = |word: &str| ORDER.iter().position(|known| *known == word);
    let begun = Instant::now();
    loop {
        let release: ReleaseView = site.admin().release(id).await.unwrap();
        let reached = release.state == state
            || is_final(&release.state)
            || matches!((place(&release.state), place(state)), (Some(now), Some(wanted)) if now > wanted);
        if reached {
            return release.state;
        }
        assert!(begun.elapsed() < PATIENCE, "{id} is {}, not {state}", release.state);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A person's word, once it is asked for; again while the gate, shut by a restart, is not open yet.
async fn promote_if_waiting(site: &Site) {
    let path = format!("/v1/services/{}/promote", site.service);
    let begun = Instant::now();
    loop {
        let view = site.until("a release that waits, or its end", |service| {
            service.state == "awaiting_promotion" || service.state == "stable"
        });
        if view.await.state == "stable" {
            return;
        }
        let answer = site.admin().ask("POST", &path, Some(&serde_json::json!({}))).await.unwrap();
        if answer.status < 300 {
            return;
        }
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 409 && begun.elapsed() < PATIENCE, "{}: {said}", answer.status);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
