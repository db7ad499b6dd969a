//! How high a rate may be, given what was seen.

/// The normal quantile of a two-sided 95 % interval. Used one-sided here: a true rate lies over
/// the upper bound in about 2.5 % of samples.
pub(crate) const Z: f64 = 1.96;

/// The upper end of the score interval for a rate, `bad` of `n` having been bad (E. B. Wilson,
/// "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927).
/// 1 when nothing was seen. Unlike the textbook interval it holds for few and for no failures:
/// 0 of 200 says "under 1.9 %", not "0".
pub(crate) fn upper(bad: u64, n: u64) -> f64 {
    upper_of_clumps(bad, n, 1.0)
}

/// The same where failures come in clumps: so many requests tell no more than `n / dispersion`
/// independent ones would (the variance of the rate is that many times as large; McCullagh and
/// Nelder, "Generalized Linear Models", 1989, section 4.5).
pub(crate) fn upper_of_clumps(bad: u64, n: u64, dispersion: f64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    let count = n as f64 / dispersion.max(1.0);
    let share = bad.min(n) as f64 / n as f64;
    let z2 = Z * Z;
    let center = share + z2 / (2.0 * count);
    let spread = Z * (share * (1.0 - share) / count + z2 / (4.0 * count * count)).sqrt();
    ((center + spread) / (1.0 + z2 / count)).min(1.0)
}

/// The lower end of the same interval; 0 when nothing was seen.
pub(crate) fn lower(bad: u64, n: u64) -> f64 {
    if n == 0 { 0.0 } else { (1.0 - upper(n - bad.min(n), n)).max(0.0) }
}
