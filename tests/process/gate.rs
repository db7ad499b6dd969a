//! The gate: no request reaches a candidate before it has been healthy for long enough.

use greenlight::model::Color;

use greenlight_testkit::house::{House, SERVICE, Setup};
use greenlight_testkit::setting::setting;

/// Upstreams' times are their own monotonic clock's, so nothing here depends on when a test looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_that_is_not_ready_gets_no_request() {
    let is_long = setting("GREENLIGHT_GATE_LONG", 0) > 0;
    let setup = Setup {
        processes: 1,
        health: "interval = \"200ms\"\nmin_healthy_time = \"2s\"",
        release: "bake_time = \"1s\"",
        green: if is_long { &["--start-delay", "20s"] } else { &["--start-delay", "4s"] },
        ..Setup::default()
    };
    let house = House::open(&setup).await;
    let load = house.load(8, Some(100.0));
    let release = house.admin().deploy(SERVICE, "slow to start", true).await.unwrap();
    assert_eq!(house.until_final(&release).await, "succeeded");
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
    let report = house.upstreams[Color::Green][0].report().await.unwrap();
    let (first_healthy, first_request) =
        (report.first_healthy_ms.expect("a healthy probe"), report.first_request_ms.expect("a request"));
    let delay = if is_long { 20_000 } else { 4_000 };
    assert!(first_healthy >= delay, "{report:?}");
    assert!(first_request >= first_healthy + 2_000, "{report:?}");
    println!(
        "RESULT gate: healthy at {first_healthy} ms, first request at {first_request} ms (min_healthy_time 2 s)"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_that_flaps_never_gets_one() {
    let is_long = setting("GREENLIGHT_GATE_LONG", 0) > 0;
    let setup = Setup {
        processes: 1,
        health: if is_long {
            "min_healthy_time = \"10s\""
        } else {
            "interval = \"100ms\"\ntimeout = \"1s\"\nmin_healthy_time = \"3s\""
        },
        release: if is_long { "progress_deadline = \"60s\"" } else { "progress_deadline = \"12s\"" },
        green: if is_long { &["--flap", "5s"] } else { &["--flap", "1s"] },
        ..Setup::default()
    };
    let house = House::open(&setup).await;
    let load = house.load(8, Some(100.0));
    let release = house.admin().deploy(SERVICE, "flapping", true).await.unwrap();
    assert_eq!(house.until_final(&release).await, "failed");
    let last = house.admin().release(&release).await.unwrap();
    assert!(!last.reason.is_empty(), "{last:?}");
    let report = house.upstreams[Color::Green][0].report().await.unwrap();
    assert_eq!(report.requests, 0, "{report:?}");
    assert!(
        report.probes >= 10 && report.first_healthy_ms.is_some(),
        "it was probed, and was well at times: {report:?}"
    );
    let counts = load.stop().await;
    assert_eq!((counts.lost(), counts.of("green")), (0, 0), "{:?}", counts.losses);
    assert_eq!(house.admin().service(SERVICE).await.unwrap().active.as_str(), "blue");
    println!(
        "RESULT gate: flapping, {} probes, {} requests, then {}: {}",
        report.probes, report.requests, last.state, last.reason
    );
}
