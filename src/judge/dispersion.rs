//! How much more the errors of a second scatter than independent requests would.
//!
//! A failing dependency or a retrying client makes errors come in clumps, and clumps look like
//! evidence to a rule that takes requests for independent. Pearson's statistic over its degrees of
//! freedom tells by how much (McCullagh and Nelder, "Generalized Linear Models", 1989, section
//! 4.5); scores are divided by it.
//!
//! It sees clumps within a second, up to a scatter of 8, and not bad seconds that follow each
//! other. A service that has always had incidents of six seconds with 10 % errors, one a minute,
//! is reverted without cause in about one bake of four (nearly always without the dispersion;
//! measured in `tests/rates.rs`). A larger limit would make the judge patient with such a service
//! and, for the same reason, slow to find a candidate that is bad.

/// Between these a dispersion is used: less than independent is not believed, and a baseline so
/// wild that it would need more must not switch the judge off.
const RANGE: (f64, f64) = (1.0, 8.0);

/// Pearson's chi-squared over its degrees of freedom, of `(requests, failures)` per interval;
/// without the 1 % of intervals that fit worst (one bad second in ten minutes is an incident, not
/// the way this service is); within 1 to 8, to three decimals.
pub(super) fn pearson(intervals: impl Iterator<Item = (u64, u64)>) -> f64 {
    let mut counts: Vec<(f64, f64)> =
        intervals.filter(|(n, _)| *n > 0).map(|(n, bad)| (n as f64, bad.min(n) as f64)).collect();
    let Some(share) = share(&counts) else { return RANGE.0 };
    counts.sort_by(|&a, &b| misfit(b, share).total_cmp(&misfit(a, share)));
    counts.drain(..counts.len().div_ceil(100));
    // The rate anew: with the incident gone it is another.
    let Some(share) = share_of_many(&counts) else { return RANGE.0 };
    let sum: f64 = counts.iter().map(|&interval| misfit(interval, share)).sum();
    let dispersion = (sum / (counts.len() as f64 - 1.0)).clamp(RANGE.0, RANGE.1);
    (dispersion * 1000.0).round() / 1000.0
}

/// One interval's part of Pearson's chi-squared.
fn misfit((n, bad): (f64, f64), share: f64) -> f64 {
    let off = bad - n * share;
    off * off / (n * share * (1.0 - share))
}

/// The failures' share; `None` where all or none failed: nothing scatters.
fn share(counts: &[(f64, f64)]) -> Option<f64> {
    let n: f64 = counts.iter().map(|(n, _)| n).sum();
    let bad: f64 = counts.iter().map(|(_, bad)| bad).sum();
    (bad > 0.0 && bad < n).then(|| bad / n)
}

fn share_of_many(counts: &[(f64, f64)]) -> Option<f64> {
    if counts.len() < 2 { None } else { share(counts) }
}
