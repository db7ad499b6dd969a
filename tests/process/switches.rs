//! Switches under load: no request is lost, and a promise is kept.

use std::time::Duration;

use greenlight::model::Color;

use greenlight_testkit::house::{House, SERVICE, Setup};
use greenlight_testkit::setting::setting;

const CONNECTIONS: u32 = 64;
const LIMIT: Duration = Duration::from_secs(30);

fn quick() -> Setup {
    Setup {
        health: "interval = \"50ms\"\ntimeout = \"2s\"\nrise = 1\nmin_healthy_time = \"0s\"",
        release: "bake_time = \"0s\"\nstandby_ttl = \"1h\"",
        ..Setup::default()
    }
}

/// After `promote` has answered no request that is begun goes to the old color, and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switches_lose_nothing() {
    let switches: u64 = setting("GREENLIGHT_SWITCHES", 100);
    let house = House::open(&quick()).await;
    let load = house.load(CONNECTIONS, None);
    load.promise(Some(Color::Blue));
    let mut active = Color::Blue;
    let epoch_before = house.admin().service(SERVICE).await.unwrap().epoch;
    for number in 1..=switches {
        // Every client has been answered by this color, on average four times.
        let enough = load.counts().of(active.as_str()) + u64::from(CONNECTIONS) * 4;
        assert!(
            load.until(LIMIT, |counts| counts.of(active.as_str()) >= enough).await,
            "{:?}",
            load.counts()
        );

        let release = house.admin().deploy(SERVICE, &format!("v{number}"), false).await.unwrap();
        house.until_state("awaiting_promotion").await;
        load.promise(None);
        house.admin().promote(SERVICE).await.unwrap();
        active = active.other();
        load.promise(Some(active));
        assert_eq!(house.until_final(&release).await, "succeeded", "switch {number}");

        let counts = load.counts();
        assert_eq!((counts.lost(), counts.promises_broken), (0, 0), "switch {number}: {:?}", counts.losses);
    }
    let enough = load.counts().of(active.as_str()) + u64::from(CONNECTIONS) * 4;
    assert!(load.until(LIMIT, |counts| counts.of(active.as_str()) >= enough).await);

    old_color_is_silent(&house, &load, active).await;

    let service = house.admin().service(SERVICE).await.unwrap();
    assert_eq!((service.active.as_str(), service.epoch), (active.as_str(), epoch_before + switches));
    let counts = load.stop().await;
    assert_eq!((counts.lost(), counts.promises_broken), (0, 0), "{:?}", counts.losses);
    assert!(counts.of("blue") > 0 && counts.of("green") > 0, "{counts:?}");
    println!(
        "RESULT switches: {switches} under {CONNECTIONS} busy connections, {} requests, {} lost, {} on the old color",
        counts.total(),
        counts.lost(),
        counts.promises_broken
    );
}

/// Once nothing is in flight on it, the old color's own count stands still while the load goes on.
async fn old_color_is_silent(house: &House, load: &greenlight::cli::demo::load::Load, active: Color) {
    let old = active.other();
    house
        .admin()
        .until(SERVICE, "nothing in flight on the old color", LIMIT, |service| {
            service
                .endpoints
                .iter()
                .filter(|one| one.color.as_str() == old.as_str())
                .all(|one| one.inflight == 0)
        })
        .await
        .unwrap();
    let mut before = 0;
    for upstream in &house.upstreams[old] {
        before += upstream.report().await.unwrap().requests;
    }
    let enough = load.counts().of(active.as_str()) + 1000;
    assert!(load.until(LIMIT, |counts| counts.of(active.as_str()) >= enough).await);
    let mut after = 0;
    for upstream in &house.upstreams[old] {
        after += upstream.report().await.unwrap().requests;
    }
    assert_eq!(after, before, "{old} was asked after it lost the traffic");
}

/// A front door that is asked to stop answers what it has begun, and exits 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_finishes_what_is_in_flight() {
    let mut house = House::open(&quick()).await;
    for upstream in &house.upstreams.blue {
        let slow = greenlight::cli::sample_app::Change { latency_ms: Some(500), ..Default::default() };
        upstream.change(&slow).await.unwrap();
    }
    let load = house.load(8, None);
    // All eight are in flight: each upstream has seen its share and none has answered yet.
    let begun = async {
        loop {
            let mut seen = 0;
            for upstream in &house.upstreams.blue {
                seen += upstream.report().await.unwrap().requests;
            }
            if seen >= 8 {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, begun).await.expect("eight requests in flight");
    let status = house.door.terminate(LIMIT).await.unwrap();
    assert_eq!(status.code(), Some(0), "{}", house.door.tail());
    let counts = load.counts();
    assert!(counts.good() >= 8, "{counts:?}");
    // What was begun was answered; only new connections are refused.
    let cut: Vec<_> = counts.losses.iter().filter(|loss| !loss.what.starts_with("connect")).collect();
    assert!(cut.is_empty(), "{cut:?}");
    drop(load);
}
