//! `kill -9` of the front door at random moments of running releases.

use std::time::Duration;

use greenlight::control_plane::controller::{ReleaseView, ServiceView};

use greenlight_testkit::house::{House, SERVICE, START, Setup};
use greenlight_testkit::setting::setting;

/// Longer than a whole release takes: some kills come before the switch, some in the bake, some after.
const MOMENTS_MS: u64 = 4_000;
const TRAFFIC_WITHIN: Duration = Duration::from_secs(1);

const FINAL: [&str; 5] = ["succeeded", "failed", "cancelled", "reverted", "rolled_back"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_front_door_comes_back_as_it_was() {
    let kills: u64 = setting("GREENLIGHT_KILLS", 8);
    let seed: u64 = setting("GREENLIGHT_SEED", fastrand::u64(..));
    println!("GREENLIGHT_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let setup = Setup {
        health: "interval = \"200ms\"\ntimeout = \"1s\"\nrise = 2\nmin_healthy_time = \"500ms\"",
        release: "bake_time = \"2s\"\nstandby_ttl = \"1h\"",
        ..Setup::default()
    };
    let mut house = House::open(&setup).await;
    let mut slowest = Duration::ZERO;
    let mut states = std::collections::BTreeMap::<String, u64>::new();
    for number in 1..=kills {
        let before = house.admin().service(SERVICE).await.unwrap();
        let history = house.admin().history(SERVICE).await.unwrap();

        // The deploy itself may be cut short: only what was accepted has to be there afterwards.
        let admin = house.admin().clone();
        let version = format!("v{number}");
        let deploy = tokio::spawn(async move { admin.deploy(SERVICE, &version, true).await });
        tokio::time::sleep(Duration::from_millis(random.u64(0..MOMENTS_MS))).await;
        let last_seen = house.admin().service(SERVICE).await.unwrap_or(before);
        *states.entry(last_seen.state.to_string()).or_default() += 1;
        house.door.kill().await.unwrap();
        let accepted = deploy.await.unwrap().ok();

        let back = traffic_again(&mut house).await;
        assert!(back <= TRAFFIC_WITHIN, "kill {number}: traffic after {back:?}");
        slowest = slowest.max(back);
        house.door.ready(START).await.unwrap();
        let service = house.admin().service(SERVICE).await.unwrap();
        one_color_serves(&house, &service, &last_seen).await;
        nothing_is_lost(&house, &history, accepted.as_deref()).await;
        if let Some(release) = &accepted {
            house.until_final(release).await;
            let ended = house.admin().release(release).await.unwrap();
            assert!(!ended.reason.is_empty(), "kill {number}: {ended:?}");
        } else {
            house.until_state("stable").await;
        }
    }
    println!(
        "RESULT kill -9: {kills} kills (in {states:?}), traffic again after {:.2} s at most",
        slowest.as_secs_f64()
    );
}

/// Starts the front door again; how long from there to the first good answer.
async fn traffic_again(house: &mut House) -> Duration {
    house.start_again();
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < START {
        if let Ok((200, _)) = house.ask().await {
            return begun.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no traffic within {START:?}\n{}", house.door.tail());
}

/// Every answer comes from the color that the record names, and no switch was forgotten.
async fn one_color_serves(house: &House, service: &ServiceView, last_seen: &ServiceView) {
    assert!(service.epoch >= last_seen.epoch, "epoch {} after {}", service.epoch, last_seen.epoch);
    let before = house.admin().service(SERVICE).await.unwrap();
    let mut colors = Vec::new();
    for _ in 0..20 {
        let (status, app) = house.ask().await.unwrap();
        assert_eq!(status, 200);
        colors.push(app.expect("an app names itself"));
    }
    let after = house.admin().service(SERVICE).await.unwrap();
    // A release that goes on may switch just now; then both colors are right.
    if before.epoch == after.epoch {
        assert!(
            colors.iter().all(|color| color == after.active.as_str()),
            "{} is active: {colors:?}",
            after.active
        );
    }
}

/// What was written before is there, unchanged; so is a release that was accepted.
async fn nothing_is_lost(house: &House, before: &[ReleaseView], accepted: Option<&str>) {
    let now = house.admin().history(SERVICE).await.unwrap();
    for old in before.iter().filter(|old| FINAL.contains(&old.state.as_str())) {
        let kept = now.iter().find(|release| release.id == old.id);
        assert_eq!(kept, Some(old), "{} was lost or changed", old.id);
    }
    if let Some(id) = accepted {
        assert!(now.iter().any(|release| release.id == id), "{id} was accepted and is gone: {now:?}");
    }
}
