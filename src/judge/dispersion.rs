//! How much more the errors scatter than independent requests would.
//!
//! A failing dependency or a retrying client makes errors come in clumps, and clumps look like
//! evidence to a rule that takes requests for independent. Pearson's statistic over its degrees of
//! freedom tells by how much (McCullagh and Nelder, "Generalized Linear Models", 1989, section
//! 4.5); scores are divided by it.
//!
//! Over single seconds it sees clumps within a second, and not bad seconds that follow each other.
//! What a running sum suffers from is the variance of long sums, so it is taken over windows of 4
//! and 16 s too (the index of dispersion for counts, D. R. Cox and P. A. W. Lewis, "The Statistical
//! Analysis of Series of Events", 1966, section 4.5). What they show beyond single seconds is that
//! errors follow each other, and multiplies. Long windows are few, so they count only when they
//! scatter more than chance would make them in one of forty: where errors are independent the score
//! stays as it was.

/// Between these a dispersion of single seconds is used: less than independent is not believed, and
/// a baseline so wild that it would need more must not switch the judge off.
const RANGE: (f64, f64) = (1.0, 8.0);
/// So much more long windows may scatter than single seconds: see ARCHITECTURE.md.
const LONG_MAX: f64 = 4.0;
/// Seconds in a window, beside single ones.
const LONG: [usize; 2] = [4, 16];
/// In standard deviations: what chance passes in one case of forty.
const CHANCE: f64 = 2.0;

/// Of `(requests, failures)` of each second, in the order of time: that of single seconds (1 to 8),
/// times what windows of 4 or 16 s show beyond it (1 to 4); without the 1 % of seconds that fit
/// worst (one bad second in ten minutes is an incident, not the way this service is), to three
/// decimals.
pub(super) fn of_seconds(seconds: impl Iterator<Item = (u64, u64)>) -> f64 {
    let counts = without_worst(floats(seconds));
    let single = pearson(&counts).map_or(RANGE.0, |found| found.dispersion.max(RANGE.0));
    let mut following = 1.0_f64;
    for window in LONG {
        let sums: Vec<(f64, f64)> = counts.chunks_exact(window).map(sum).filter(|(n, _)| *n > 0.0).collect();
        if let Some(found) = pearson(&sums)
            && found.dispersion > single * (1.0 + CHANCE * found.deviation)
        {
            following = following.max((found.dispersion / single).min(LONG_MAX));
        }
    }
    rounded(single.min(RANGE.1) * following)
}

/// Of `(requests, failures)` of intervals that are long already: Pearson's alone.
pub(super) fn of_intervals(intervals: impl Iterator<Item = (u64, u64)>) -> f64 {
    let counts = without_worst(floats(intervals));
    rounded(pearson(&counts).map_or(RANGE.0, |found| found.dispersion.clamp(RANGE.0, RANGE.1)))
}

fn floats(counts: impl Iterator<Item = (u64, u64)>) -> Vec<(f64, f64)> {
    counts.map(|(n, bad)| (n as f64, bad.min(n) as f64)).collect()
}

fn rounded(dispersion: f64) -> f64 {
    (dispersion * 1000.0).round() / 1000.0
}

/// Empties the 1 % of intervals (of those with a request) that fit worst.
fn without_worst(mut counts: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let Some(share) = share(&counts) else { return counts };
    let mut order: Vec<usize> = (0..counts.len()).filter(|&at| counts[at].0 > 0.0).collect();
    let worst = order.len().div_ceil(100);
    order.sort_by(|&a, &b| misfit(counts[b], share).total_cmp(&misfit(counts[a], share)));
    for &at in &order[..worst] {
        counts[at] = (0.0, 0.0);
    }
    counts
}

struct Found {
    dispersion: f64,
    /// Of the dispersion of independent requests.
    deviation: f64,
}

/// `None` where all or none failed, or there is one interval: nothing scatters.
fn pearson(counts: &[(f64, f64)]) -> Option<Found> {
    let filled = counts.iter().filter(|(n, _)| *n > 0.0);
    let intervals = filled.clone().count() as f64;
    let share = share(counts).filter(|_| intervals > 1.0)?;
    let misfits: f64 = filled.map(|&interval| misfit(interval, share)).sum();
    let expected = counts.iter().map(|(n, _)| n).sum::<f64>() * share / intervals;
    // The variance of one interval's part is 2, and 1/m more where few failures (m) are expected.
    let variance = (2.0 + 1.0 / expected) / (intervals - 1.0);
    Some(Found { dispersion: misfits / (intervals - 1.0), deviation: variance.sqrt() })
}

/// One interval's part of Pearson's chi-squared.
fn misfit((n, bad): (f64, f64), share: f64) -> f64 {
    let off = bad - n * share;
    off * off / (n * share * (1.0 - share))
}

fn sum(window: &[(f64, f64)]) -> (f64, f64) {
    window.iter().fold((0.0, 0.0), |(n, bad), second| (n + second.0, bad + second.1))
}

/// The failures' share; `None` where all or none failed.
fn share(counts: &[(f64, f64)]) -> Option<f64> {
    let (n, bad) = sum(counts);
    (bad > 0.0 && bad < n).then(|| bad / n)
}
