//! How likely a bake finds a version that fails at a given rate.
//!
//! The score of the error rule is followed as a Markov chain over a grid from 0 to the bound (D. Brook and
//! D. A. Evans, "An approach to the probability distribution of CUSUM run length", Biometrika 59, 1972). One
//! step is one second, in which a Poisson number of requests fails. What a step adds is split between the two
//! nearest points of the grid, so that its mean is exact.

use super::Numbers;

/// The points of the grid under the bound.
const GRID: usize = 96;
/// The most steps. In a longer bake a step stands for several seconds.
const STEPS_MAX: f64 = 1800.0;
/// A second adds a quarter of the bound at most.
const SECOND_MAX: f64 = 0.25;
/// The most failures of a step that are told apart.
const FAILURES_MAX: usize = 400;

/// The chance, 0 to 1, that the error rule trips within `seconds` for a version that fails at `rate` (a share)
/// while `per_second` requests come. It takes requests for independent, and clients for many.
///
/// It is 0 if the rule is off.
#[must_use]
pub fn power(numbers: &Numbers, per_second: f64, seconds: f64, rate: f64) -> f64 {
    let dispersion = numbers.dispersion.max(1.0);
    let up = (numbers.p1 / numbers.p0).ln() / dispersion;
    let down = ((1.0 - numbers.p0) / (1.0 - numbers.p1)).ln() / dispersion;
    let sound =
        up.is_finite() && down.is_finite() && up > 0.0 && per_second.is_finite() && seconds.is_finite();
    if !numbers.rule_on || !sound || numbers.h <= 0.0 || per_second <= 0.0 || seconds < 1.0 {
        return 0.0;
    }
    let span = (seconds / STEPS_MAX).max(1.0);
    let steps = seconds / span;
    let requests = per_second * span;
    let rate = rate.clamp(0.0, 1.0);
    let point = GRID as f64 / numbers.h;
    let loss = requests * (1.0 - rate) * down * point;
    let most = SECOND_MAX * span * GRID as f64;
    let mut jumps: Vec<(f64, f64)> = Vec::new();
    for (failures, chance) in poisson(requests * rate).enumerate() {
        let jump = (failures as f64 * up * point - loss).min(most);
        match jumps.last_mut() {
            // Further failures of the step add nothing.
            Some((last, sum)) if *last >= most => *sum += chance,
            _ => jumps.push((jump, chance)),
        }
    }
    let mut at = [0.0_f64; GRID];
    at[0] = 1.0;
    let mut found = 0.0;
    for _ in 0..whole(steps) {
        let mut next = [0.0_f64; GRID];
        for (from, mass) in at.iter().enumerate().filter(|(_, mass)| **mass > 1e-12) {
            for (jump, chance) in &jumps {
                found += land(&mut next, (from as f64 + jump).max(0.0), mass * chance);
            }
        }
        at = next;
        if found > 0.999_999 {
            break;
        }
    }
    found.clamp(0.0, 1.0)
}

/// Puts `mass` at a place between two points. Returns the part that is at the bound.
fn land(grid: &mut [f64; GRID], place: f64, mass: f64) -> f64 {
    let low = whole(place);
    if low >= GRID {
        return mass;
    }
    let high = mass * place.fract();
    grid[low] += mass - high;
    match grid.get_mut(low + 1) {
        Some(point) => *point += high,
        None => return high,
    }
    0.0
}

/// The chances of 0, 1, 2, ... events at the mean `mean`. Together they are 1. A large mean is not spread out,
/// because the spread no longer matters.
fn poisson(mean: f64) -> impl Iterator<Item = f64> {
    let spread = mean.sqrt();
    let last = whole(mean + 6.0 * spread + 4.0).min(FAILURES_MAX);
    let log =
        |k: usize| -mean + k as f64 * mean.max(1e-300).ln() - (1..=k).map(|i| (i as f64).ln()).sum::<f64>();
    let raw: Vec<f64> =
        (0..=last).map(|k| if mean > 0.0 { log(k).exp() } else { f64::from(u8::from(k == 0)) }).collect();
    let rest = (1.0 - raw.iter().sum::<f64>()).max(0.0);
    raw.into_iter().enumerate().map(move |(k, chance)| if k == last { chance + rest } else { chance })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no number here is negative")]
fn whole(number: f64) -> usize {
    number as usize
}
