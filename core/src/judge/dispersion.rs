//! The dispersion, which says how much more the errors scatter than independent requests would.
//!
//! A failing dependency or a retrying client makes errors come in clumps, and clumps look like evidence
//! to a rule that assumes independent requests. Pearson's statistic over its degrees of freedom measures
//! this (McCullagh and Nelder, "Generalized Linear Models", 1989, section 4.5). Scores are divided by it.
//!
//! Over single seconds the statistic sees clumps within a second, but not bad seconds that follow each
//! other. A running sum suffers from the variance of long sums. So the statistic is also taken over
//! windows of 4 and 16 s (the index of dispersion for counts, D. R. Cox and P. A. W. Lewis, "The
//! Statistical Analysis of Series of Events", 1966, section 4.5), and the largest value is used. There
//! are few long windows, so they count only if they scatter more than chance would make them in one of
//! forty cases. Where errors are independent the score stays as it was.
//!
//! One incident does not show how a service usually is. So the worst half minute of ten minutes is left
//! out, if it alone would have tripped the rule. Many incidents do show how it is.

/// The least dispersion. A value that scatters less than independent errors is not believed.
const LEAST: f64 = 1.0;
/// The largest dispersion where traffic is thin. A baseline so wild that it would need more must not
/// switch the judge off. Where traffic is busier the largest is `MOST_PER_REQUEST` times the requests of
/// a second. With that a candidate that fails altogether is found within about half a minute (at
/// ln(p1/p0) = 1.1 and h = 22).
const MOST: f64 = 8.0;
const MOST_PER_REQUEST: f64 = 1.5;
/// Seconds in a long window.
const LONG: [usize; 2] = [4, 16];
/// The number of standard deviations that chance passes in one case of forty.
const CHANCE: f64 = 2.0;
/// An incident may be one part in this many of the baseline, which is half a minute of ten minutes.
const INCIDENT: usize = 20;
/// The failures above the expected number that make an incident. So many at once trip the rule.
const INCIDENT_ERRORS: f64 = 20.0;

/// The dispersion of `(requests, failures)` of each second, in the order of time. It is the largest value
/// over windows of 1, 4 and 16 s, without the worst incident, to three decimals.
pub(crate) fn of_seconds(seconds: impl Iterator<Item = (u64, u64)>) -> f64 {
    let mut counts = floats(seconds);
    let (requests, _) = sum(&counts);
    let most = most(requests / counts.len().max(1) as f64);
    without_incident(&mut counts);
    let mut largest = pearson(&counts).map_or(LEAST, |found| found.dispersion);
    for window in LONG {
        let sums: Vec<(f64, f64)> = counts.chunks_exact(window).map(sum).collect();
        if let Some(found) = pearson(&sums)
            && found.dispersion > LEAST + CHANCE * found.deviation
        {
            largest = largest.max(found.dispersion);
        }
    }
    rounded(largest.clamp(LEAST, most))
}

/// The dispersion of `(requests, failures)` of intervals that are long already. It is Pearson's value
/// alone, at most 8.
pub(crate) fn of_intervals(intervals: impl Iterator<Item = (u64, u64)>) -> f64 {
    let mut counts = floats(intervals);
    without_incident(&mut counts);
    rounded(pearson(&counts).map_or(LEAST, |found| found.dispersion.clamp(LEAST, MOST)))
}

/// The least dispersion that is believed where failures are few. At rate p0 ten minutes hold
/// `ten_minutes` x p0 failures. If there are fewer of them, the baseline shows less about how they come,
/// and the score remembers one clump for longer. The value is 1.5 for four failures and fewer, and 1.1
/// for a hundred.
pub(crate) fn least(ten_minutes: f64, p0: f64) -> f64 {
    let failures = ten_minutes * p0;
    LEAST + (1.0 / failures.sqrt()).min(0.5)
}

/// The largest dispersion that is believed at this many requests a second.
pub(crate) fn most(requests_a_second: f64) -> f64 {
    MOST.max(MOST_PER_REQUEST * requests_a_second)
}

fn floats(counts: impl Iterator<Item = (u64, u64)>) -> Vec<(f64, f64)> {
    counts.map(|(n, bad)| (n as f64, bad.min(n) as f64)).collect()
}

/// A dispersion to three decimals, because the stored text must read back as the same number.
pub(crate) fn rounded(dispersion: f64) -> f64 {
    (dispersion * 1000.0).round() / 1000.0
}

/// Empties the stretch (a twentieth of all) that has the most failures above the rate of the rest, if
/// they are many.
fn without_incident(counts: &mut [(f64, f64)]) {
    let length = counts.len().div_ceil(INCIDENT);
    let all = sum(counts);
    let mut inside = (0.0, 0.0);
    let mut worst = (INCIDENT_ERRORS, None);
    for end in 0..counts.len() {
        inside = (inside.0 + counts[end].0, inside.1 + counts[end].1);
        if let Some(gone) = end.checked_sub(length) {
            inside = (inside.0 - counts[gone].0, inside.1 - counts[gone].1);
        }
        let rest = (all.1 - inside.1) / (all.0 - inside.0).max(1.0);
        let excess = inside.1 - inside.0 * rest;
        if excess > worst.0 {
            worst = (excess, Some(end));
        }
    }
    if let Some(end) = worst.1 {
        counts[(end + 1).saturating_sub(length)..=end].fill((0.0, 0.0));
    }
}

struct Scatter {
    dispersion: f64,
    /// The standard deviation that the dispersion has for independent requests.
    deviation: f64,
}

/// Pearson's dispersion. `None` if all or no requests failed, or if there is only one interval, since
/// nothing scatters then.
fn pearson(counts: &[(f64, f64)]) -> Option<Scatter> {
    let filled = counts.iter().filter(|(n, _)| *n > 0.0);
    let intervals = filled.clone().count() as f64;
    let share = share(counts).filter(|_| intervals > 1.0)?;
    let misfits: f64 = filled.map(|&interval| misfit(interval, share)).sum();
    let expected = counts.iter().map(|(n, _)| n).sum::<f64>() * share / intervals;
    // The variance of one interval's part is 2, and 1/m more where few failures (m) are expected.
    let variance = (2.0 + 1.0 / expected) / (intervals - 1.0);
    Some(Scatter { dispersion: misfits / (intervals - 1.0), deviation: variance.sqrt() })
}

/// One interval's part of Pearson's chi-squared.
fn misfit((n, bad): (f64, f64), share: f64) -> f64 {
    let off = bad - n * share;
    off * off / (n * share * (1.0 - share))
}

fn sum(window: &[(f64, f64)]) -> (f64, f64) {
    window.iter().fold((0.0, 0.0), |(n, bad), second| (n + second.0, bad + second.1))
}

/// The share of failures; `None` if all or no requests failed.
fn share(counts: &[(f64, f64)]) -> Option<f64> {
    let (n, bad) = sum(counts);
    (bad > 0.0 && bad < n).then(|| bad / n)
}
