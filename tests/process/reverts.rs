//! Real runs at 100 requests a second: how soon a release that turned bad has lost the traffic again.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use greenlight::judge::{BaselineWindow, Bucket, Judge, Outcome, Policy};
use greenlight::model::Color;

use greenlight_testkit::house::{House, PATIENCE, SERVICE, Setup};
use greenlight_testkit::setting::setting;

const RATE: f64 = 100.0;
/// What the judge's bounds are promised for: a baseline that knows what is usual.
const BASELINE_REQUESTS: u64 = 1000;
/// The candidate serves well at first: two to three seconds, so that it turns bad anywhere between
/// two of the judge's seconds.
const GOOD_REQUESTS: std::ops::Range<u64> = 200..300;
/// Front doors at a time.
const PARALLEL: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Illness {
    Errors(f64),
    Killed,
}

/// From the first bad moment until the traffic is back and the release is reverted.
async fn one_revert(illness: Illness) -> Duration {
    let setup = Setup { health: "min_healthy_time = \"1s\"", ..Setup::default() };
    let mut house = House::open(&setup).await;
    let load = house.load(10, Some(RATE));
    assert!(load.until(PATIENCE, |counts| counts.total() >= BASELINE_REQUESTS).await);
    let release = house.admin().deploy(SERVICE, "bad", true).await.unwrap();
    house.until_state("baking").await;
    let good = fastrand::u64(GOOD_REQUESTS);
    assert!(load.until(PATIENCE, |counts| counts.of("green") >= good).await);
    let before = load.counts();
    assert_eq!(before.lost(), 0, "{:?}", before.losses);

    let begun = now();
    match illness {
        Illness::Errors(share) => {
            for upstream in &house.upstreams.green {
                upstream.fail(share).await.unwrap();
            }
        }
        Illness::Killed => {
            for upstream in &mut house.upstreams.green {
                upstream.kill().await.unwrap();
            }
        }
    }
    let view = house
        .admin()
        .until(SERVICE, "the revert", PATIENCE, |service| {
            service.release.as_ref().is_some_and(|last| last.state.as_str() == "reverted")
        })
        .await
        .unwrap();
    let took = begun.elapsed();

    assert_eq!(view.active.as_str(), "blue");
    let last = house.admin().release(&release).await.unwrap();
    assert_eq!(
        (last.state.as_str(), last.verdict.map(greenlight::judge::Verdict::as_str)),
        ("reverted", Some("fail")),
        "{last:?}"
    );
    assert!(!last.reason.is_empty(), "{last:?}");
    // The old color serves again, and the version is not released again unforced.
    load.promise(Some(Color::Blue));
    let enough = load.counts().of("blue") + 100;
    assert!(load.until(PATIENCE, |counts| counts.of("blue") >= enough).await);
    let again = house.admin().deploy(SERVICE, "bad", true).await;
    assert!(again.is_err(), "a reverted version was taken again: {again:?}");
    let counts = load.stop().await;
    assert_eq!(counts.promises_broken, 0, "{:?}", counts.losses);
    took
}

#[expect(clippy::disallowed_methods, reason = "what a person would measure with a stopwatch")]
fn now() -> Instant {
    Instant::now()
}

/// As many runs as asked for, and how long they took, the shortest first.
async fn reverts(name: &str, illness: Illness) -> Vec<Duration> {
    let runs: usize = setting("GREENLIGHT_REVERTS", 3);
    let mut took: Vec<Duration> = futures_util::stream::iter(0..runs)
        .map(|_| one_revert(illness))
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    took.sort_unstable();
    println!(
        "RESULT reverts, {name}: {runs} runs, median {:.2} s, slowest {:.2} s",
        took[runs / 2].as_secs_f64(),
        took[runs - 1].as_secs_f64()
    );
    took
}

/// What benches/judge would say of such a run: the judge alone, second after second, with as much
/// of a baseline; the illness begins anywhere in a second.
fn simulated(share: f64) -> Duration {
    const RUNS: usize = 200;
    let policy = Policy::default();
    let mut random = fastrand::Rng::with_seed(5);
    let mut second = |share: f64| {
        let mut bucket = Bucket::default();
        for _ in 0..100 {
            let failed = random.f64() < share;
            bucket.record(1, if failed { Outcome::Error } else { Outcome::Success }, None);
        }
        bucket
    };
    let mut took: Vec<f64> = (0..RUNS)
        .map(|run| {
            let mut window = BaselineWindow::default();
            for _ in 0..BASELINE_REQUESTS / 100 {
                window.push(&second(0.0), &policy);
            }
            let mut judge = Judge::new(window.freeze(&policy), policy, RATE * 300.0);
            for _ in 0..2 {
                judge.observe(&second(0.0));
            }
            let well = run as f64 / RUNS as f64;
            let first = judge.observe(&second(share * (1.0 - well))).is_some();
            let more = if first {
                0
            } else {
                1 + (1..300).find(|_| judge.observe(&second(share)).is_some()).unwrap()
            };
            f64::from(more.max(1)) - well
        })
        .collect();
    took.sort_by(f64::total_cmp);
    Duration::from_secs_f64(took[RUNS / 2])
}

/// The numbers of benches/judge are those of the real thing: medians within 2 s.
fn agrees(took: &[Duration], share: f64) {
    let (real, simulated) = (took[took.len() / 2], simulated(share));
    println!(
        "RESULT reverts at {share}: {:.2} s, simulated {:.2} s",
        real.as_secs_f64(),
        simulated.as_secs_f64()
    );
    assert!(real.abs_diff(simulated) <= Duration::from_secs(2), "{took:?}, simulated {simulated:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_percent_of_errors() {
    let took = reverts("errors at 5 %", Illness::Errors(0.05)).await;
    // Five errors a second are chance: one run in four takes longer than 6 s, so that a median of
    // three would say little. The slowest bar is one that hardly any run may miss.
    if took.len() >= 20 {
        assert!(took[took.len() / 2] <= Duration::from_secs(6), "{took:?}");
    }
    assert!(took[took.len() - 1] <= Duration::from_secs(10), "{took:?}");
    if took.len() >= 20 {
        agrees(&took, 0.05);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_errors() {
    let took = reverts("errors at 100 %", Illness::Errors(1.0)).await;
    assert!(took[took.len() - 1] <= Duration::from_secs(5), "{took:?}");
    agrees(&took, 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_killed() {
    let took = reverts("all processes killed", Illness::Killed).await;
    assert!(took[took.len() - 1] <= Duration::from_secs(3), "{took:?}");
}
