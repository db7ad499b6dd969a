//! The formulas, compared with values that were calculated elsewhere.

use super::super::rates::{Edition, Rates};
use super::super::{cusum, dispersion, wilson};
use super::*;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 5e-5
}

#[test]
fn wilson_upper_bounds() {
    // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
    // Medicine 17, 1998, table I, method 3 (z = 1.95996).
    let table = [(81, 263, 0.3662), (15, 148, 0.1605), (0, 20, 0.1611), (1, 29, 0.1718)];
    for (bad, n, upper) in table {
        assert!(near(wilson::upper(bad, n), upper), "{bad} of {n}: {}", wilson::upper(bad, n));
    }
    assert!(near(wilson::upper(0, 200), 3.8416 / 203.8416));
    for (bad, n) in [(0, 0), (7, 7), (9, 7)] {
        assert!(wilson::upper(bad, n) > 0.999_999, "{bad} of {n}");
    }
}

#[test]
fn rates_of_the_error_rule() {
    let of = |requests, errors| {
        let baseline = Baseline { requests, errors, seconds: 600, ..Baseline::default() };
        Rates::of_errors(&baseline, &Policy::default(), Edition::Second)
    };
    // requests, errors, p0; p1 has three times the odds, or is two points more
    let table = [
        (0, 0, 0.01, 0.03),
        // A handful of requests says little, so at most 25 % is granted.
        (1, 0, 0.25, 0.5),
        (2, 2, 0.25, 0.5),
        (20, 0, 0.25, 0.5),
        (199, 0, 0.04604, 0.12648),
        (199, 2, 0.05183, 0.14089),
        // From 3 errors on a thin baseline is believed, whatever it says.
        (199, 3, 0.05702, 0.15355),
        (3, 3, 0.97, 0.99),
        (200, 0, 0.04582, 0.12592),
        (60_000, 0, 0.005, 0.025),
        (60_000, 240, 0.005, 0.025),
        (60_000, 600, 0.0108, 0.03173),
        (60_000, 6_000, 0.1024, 0.25501),
        (60_000, 24_000, 0.4039, 0.67025),
        (60_000, 36_000, 0.6039, 0.82055),
        (60_000, 60_000, 0.97, 0.99),
    ];
    for (requests, errors, p0, p1) in table {
        let rates = of(requests, errors);
        assert!(
            (rates.p0 - p0).abs() < 1e-4 && (rates.p1 - p1).abs() < 3e-4,
            "{errors} of {requests}: {rates:?}"
        );
        assert!(rates.are_distinct(Edition::Second), "{errors} of {requests}: {rates:?}");
    }
}

#[test]
fn a_short_baseline_of_busy_traffic_is_taken_at_its_word() {
    let short = Baseline { requests: 1000, seconds: 10, ..Baseline::default() };
    let rates = Rates::of_errors(&short, &Policy::default(), Edition::Second);
    assert!(rates.p0 <= 0.005, "100 requests a second: {rates:?}");
    let thin = Baseline { seconds: 600, ..short };
    assert!(Rates::of_errors(&thin, &Policy::default(), Edition::Second).p0 > 0.008, "1.7 requests a second");
}

#[test]
fn weights_are_log_likelihood_ratios() {
    let (up, down) = Rates { p0: 0.005, p1: 0.025 }.weights();
    assert!(near(up, 5_f64.ln()) && near(down, (0.995_f64 / 0.975).ln()));
    // At p0 and under, the likelihood ratio is not expected to grow. At p1 the score is.
    let ratio = |p: f64| p * up.exp() + (1.0 - p) * (-down).exp();
    assert!((ratio(0.005) - 1.0).abs() < 1e-12 && ratio(0.001) < 1.0);
    assert!(0.025 * up - 0.975 * down > 0.0 && 0.005 * up - 0.995 * down < 0.0);
}

#[test]
fn bounds_grow_with_the_requests() {
    assert!(near(cusum::bound(0.001, 0.0, 0), 1e6_f64.ln()));
    assert!(near(cusum::bound(0.001, 30_000.0, 5), 3e7_f64.ln()));
    assert!(near(cusum::bound(0.001, 30_000.0, 90_000), 9e7_f64.ln()));
    assert!(cusum::bound(0.0, 0.0, 0).is_finite());
}

#[test]
fn dispersion_of_clumps() {
    let even = |n: u64, bad: u64, count: usize| std::iter::repeat_n((n, bad), count);
    assert!(near(dispersion::of_seconds(even(100, 1, 600)), 1.0), "less than chance is not believed");
    assert!(near(dispersion::of_seconds(std::iter::empty()), 1.0));
    assert!(near(dispersion::of_seconds(even(100, 50, 1)), 1.0));
    assert!(near(dispersion::of_seconds(even(100, 0, 50)), 1.0));
    assert!(near(dispersion::of_seconds(even(100, 100, 50)), 1.0));
    let mut random = Random(6);
    let clumps = (0..600).map(|_| (100, if random.chance(0.1) { 20 } else { 0 }));
    let found = dispersion::of_seconds(clumps);
    assert!((14.0..24.0).contains(&found), "20 at a time: {found}");
    // The same clumps come ten at a time. Single seconds see no difference, but long windows do.
    let incidents = |n: u64, bad: u64| (0..600).map(move |i| (n, if i % 100 < 10 { bad } else { 0 }));
    let found = dispersion::of_seconds(incidents(100, 20));
    assert!((60.0..150.0).contains(&found), "200 in ten seconds: {found}");
    assert!(near(dispersion::of_seconds(incidents(4, 4)), 8.0), "8 at the most where traffic is thin");
    assert!(near(dispersion::of_seconds(incidents(10, 10)), 15.0), "1.5 times the requests of a second");
    let clumps = (0..600).map(|i| (100, if i % 3 == 0 { 4 } else { 0 }));
    let p = 800.0 / 60_000.0_f64;
    let misfit = |bad: f64| (bad - 100.0 * p).powi(2) / (100.0 * p * (1.0 - p));
    let expected = (200.0 * misfit(4.0) + 400.0 * misfit(0.0)) / 599.0;
    let found = dispersion::of_seconds(clumps);
    assert!((found - expected).abs() < 6e-4, "{found} {expected}");
    // Seconds without a request say nothing. One terrible second in ten minutes is left out.
    let quiet = (0..600).map(|i| if i % 2 == 0 { (0, 0) } else { (100, 1) });
    assert!(near(dispersion::of_seconds(quiet), 1.0));
    let incident = even(100, 1, 599).chain(std::iter::once((100, 100)));
    assert!(near(dispersion::of_seconds(incident), 1.0));
}

#[test]
fn independent_errors_have_a_dispersion_near_one() {
    let mut random = Random(5);
    let mut second = || (100, (0..100).filter(|_| random.chance(0.05)).count() as u64);
    let counts: Vec<(u64, u64)> = (0..600).map(|_| second()).collect();
    let found = dispersion::of_seconds(counts.into_iter());
    assert!((1.0..1.15).contains(&found), "{found}");
}
