//! Bounds of a true rate, given the counts (Wilson's score interval).

/// The normal quantile of a two-sided 95 % interval. It is used one-sided here, so a true rate lies over
/// the upper bound in about 2.5 % of samples.
pub(crate) const Z: f64 = 1.96;

/// The upper end of the score interval for a rate, when `bad` of `n` were bad (E. B. Wilson, "Probable
/// Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927). It is 1 if there were no
/// requests. Unlike the textbook interval it holds for few failures and for no failures. For 0 of 200 it
/// says "under 1.9 %", not "0".
pub(crate) fn upper(bad: u64, n: u64) -> f64 {
    upper_of_clumps(bad, n, 1.0)
}

/// The upper end where failures come in clumps. The requests then tell no more than `n / dispersion`
/// independent ones would (the variance of the rate is that many times as large; McCullagh and Nelder,
/// "Generalized Linear Models", 1989, section 4.5).
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

/// The lower end of the interval of [`upper`]; 0 if there were no requests.
pub(crate) fn lower(bad: u64, n: u64) -> f64 {
    lower_of_clumps(bad, n, 1.0)
}

/// The lower end of the interval of [`upper_of_clumps`]; 0 if there were no requests.
pub(crate) fn lower_of_clumps(bad: u64, n: u64, dispersion: f64) -> f64 {
    if n == 0 { 0.0 } else { (1.0 - upper_of_clumps(n - bad.min(n), n, dispersion)).max(0.0) }
}
