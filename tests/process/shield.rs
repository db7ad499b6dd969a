//! The shield in a real release: a candidate that loses 30 % of its GETs costs no client anything, and is reverted as it
//! is without the shield.

use std::time::Duration;

use greenlight::model::PerColor;

use crate::origin;
use greenlight_testkit::house::{House, PATIENCE, SERVICE, Setup};

const BASELINE_REQUESTS: u64 = 1000;

/// What a bad release has cost.
#[derive(Debug)]
struct Cost {
    requests: u64,
    lost: u64,
    to_revert: Duration,
    reason: String,
}

/// Releases a candidate that loses 30 % of its GETs before their first byte.
async fn release(shield: bool) -> Cost {
    let (blue, green) = (origin::start("blue", 0.0).await, origin::start("green", 0.3).await);
    let upstreams = PerColor { blue: vec![blue], green: vec![green] };
    let setup = Setup {
        health: "min_healthy_time = \"1s\"",
        more: format!("[services.{SERVICE}.proxy]\nshield = {shield}\n"),
        ..Setup::default()
    };
    let house = House::open_before(&setup, &upstreams).await;
    let load = house.load(10, Some(100.0));
    assert!(load.until(PATIENCE, |counts| counts.total() >= BASELINE_REQUESTS).await);
    let release = house.admin().deploy(SERVICE, "bad", true).await.unwrap();
    house.until_state("baking").await;
    let switched = greenlight::clock::instant();
    assert_eq!(house.until_final(&release).await, "reverted");
    let to_revert = switched.elapsed();
    let counts = load.stop().await;
    assert!(counts.of("green") > 0, "the candidate had traffic: {counts:?}");
    let last = house.admin().release(&release).await.unwrap();
    assert_eq!(last.verdict.map(greenlight::judge::Verdict::as_str), Some("fail"), "{last:?}");
    Cost { requests: counts.total(), lost: counts.lost(), to_revert, reason: last.reason }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_see_nothing_of_a_candidate_that_is_reverted_as_without_the_shield() {
    let (with, without) = tokio::join!(release(true), release(false));
    assert_eq!(with.lost, 0, "{with:?}");
    assert!(without.lost > 0, "there was nothing to be shielded from: {without:?}");
    // The judge has seen the same failures: the rest is which of the requests they were.
    let difference = with.to_revert.abs_diff(without.to_revert);
    assert!(difference < Duration::from_secs(5), "{with:?}, {without:?}");
    for (name, cost) in [("with", &with), ("without", &without)] {
        println!(
            "RESULT shield: 30 % of the candidate's GETs lost, {name} the shield: {} of {} requests failed for clients, \
             reverted {:.1} s after the switch, {}",
            cost.lost,
            cost.requests,
            cost.to_revert.as_secs_f64(),
            cost.reason
        );
    }
}
