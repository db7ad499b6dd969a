//! The power that is told beside the share of simulated bakes that trip.

use super::super::power;
use super::*;

/// The share of bakes that trip, of 400.
fn simulated(baseline: &Baseline, per_second: f64, seconds: u64, rate: f64) -> f64 {
    let mut random = Random(11);
    let bakes = 400;
    let tripped = (0..bakes).filter(|_| {
        let mut judge = Judge::new(baseline.clone(), Policy::default(), per_second * seconds as f64);
        (0..seconds).any(|_| {
            let mut second = Bucket::default();
            // Ten slots a second make a binomial number of requests, which is near enough to Poisson.
            for _ in 0..10 {
                if random.chance(per_second / 10.0) {
                    let failed = random.chance(rate);
                    second.add(None, u32::from(!failed), u32::from(failed));
                }
            }
            judge.observe(&second).is_some()
        })
    });
    tripped.count() as f64 / f64::from(bakes)
}

#[test]
fn the_power_is_the_share_of_simulated_bakes_that_trip() {
    for (per_second, seconds, rate) in [
        (0.05, 300, 1.0),
        (0.1, 300, 1.0),
        (0.3, 300, 0.2),
        (0.3, 300, 1.0),
        (1.0, 300, 0.1),
        (1.0, 600, 0.05),
        (3.0, 300, 0.05),
    ] {
        let requests =
            [30, 60, 180, 600, 1800].into_iter().find(|n| *n as f64 >= per_second * 599.0).unwrap();
        let known = Baseline { requests, errors: 0, seconds: 600, dispersion: 1.0, ..Baseline::default() };
        let numbers = Judge::new(known.clone(), Policy::default(), per_second * seconds as f64).numbers();
        let told = power(&numbers, per_second, seconds as f64, rate);
        let shown = simulated(&known, per_second, seconds, rate);
        assert!((told - shown).abs() < 0.1, "{per_second}/s, {rate}: told {told:.3}, shown {shown:.3}");
    }
}

#[test]
fn the_power_grows_with_the_rate_and_is_none_without_traffic() {
    let numbers = judge(0, 50).numbers();
    let at = |rate| power(&numbers, 100.0, 300.0, rate);
    assert!(at(0.005) < 0.01 && at(0.05) > 0.99 && at(1.0) > 0.99, "{} {} {}", at(0.005), at(0.05), at(1.0));
    for (per_second, seconds) in [(0.0, 300.0), (f64::NAN, 300.0), (1.0, 0.0), (1.0, f64::INFINITY)] {
        assert!(power(&numbers, per_second, seconds, 1.0).abs() < 1e-9);
    }
}
