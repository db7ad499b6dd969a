//! The results of a replay, for people and for scripts.

use std::fmt::{self, Write as _};
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;

use crate::cli::replay::{Finding, Findings, Format, Plan, Settings, VARIANTS, detection_time};
use crate::judge::{Numbers, Verdict};

use super::input::Lines;
use super::sight::{Power, Sight};

/// The largest number of trips that the report lists.
const TRIPS_SHOWN: usize = 50;
/// The error rates for which the report says how soon the judge reverts.
const RATES: [f64; 5] = [0.025, 0.05, 0.10, 0.20, 1.0];

#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    log: String,
    format: &'static str,
    sight: Sight,
    lines: LineCounts,
    from: String,
    to: String,
    /// Requests that are evidence.
    requests: u64,
    /// Errors among `requests`.
    errors: u64,
    /// Whether the log says how long requests took.
    timed: bool,
    /// The number of imagined releases.
    tried: u64,
    /// How many of the imagined releases tripped.
    tripped: u64,
    /// How many of the imagined releases had too little traffic for a verdict.
    inconclusive: u64,
    /// At most 50, oldest first.
    trips: Vec<Trip>,
    /// The release without a trip whose score came nearest to its bound.
    nearest: Option<Nearest>,
    /// The trips under the given settings, and under others with one key changed.
    settings: Vec<SettingsCount>,
    /// For each of [`RATES`], how soon the judge reverts.
    told: Vec<DetectionDelay>,
    #[serde(skip)]
    usual: Option<Numbers>,
    /// The median over the baselines of all imagined releases.
    requests_per_second: f64,
    #[serde(skip)]
    hourly: bool,
    bake_seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
struct LineCounts {
    read: u64,
    not_counted: u64,
    other_service: u64,
    /// Lines that come over a minute later than their time says.
    late: u64,
    /// Lines whose time is far from the times of the lines before.
    far: u64,
    unreadable: u64,
    first_unreadable: Option<Unreadable>,
}

#[derive(Clone, Debug, Serialize)]
struct Unreadable {
    line: u64,
    text: String,
}

#[derive(Clone, Debug, Serialize)]
struct Trip {
    at: String,
    after_seconds: i64,
    rule: &'static str,
    numbers: Numbers,
}

#[derive(Clone, Debug, Serialize)]
struct Nearest {
    at: String,
    /// The highest score as a share of its bound, S/h.
    share: f64,
}

#[derive(Clone, Debug, Serialize)]
struct SettingsCount {
    settings: &'static str,
    tripped: usize,
    tried: usize,
}

#[derive(Clone, Debug, Serialize)]
struct DetectionDelay {
    error_rate: f64,
    requests: Option<f64>,
    seconds: Option<f64>,
}

impl Report {
    #[expect(clippy::needless_pass_by_value, reason = "nobody else has a use for what was found")]
    pub(super) fn new(log: &str, format: Format, settings: &Settings, found: Findings, lines: Lines) -> Self {
        let findings = &found.findings;
        let tripped = || findings.iter().filter_map(|finding| Some((finding, finding.tripped.as_ref()?)));
        let trips = tripped().take(TRIPS_SHOWN).map(|(finding, tripped)| Trip {
            at: clock(finding.at),
            after_seconds: tripped.after_seconds,
            rule: tripped.rule.as_str(),
            numbers: tripped.numbers.clone(),
        });
        let calm = findings.iter().filter(|finding| finding.tripped.is_none());
        let nearest = calm.max_by(|a, b| a.peak.total_cmp(&b.peak));
        let rate = median(findings.iter().map(|finding| finding.requests_per_second).collect());
        let usual = usual(findings, rate);
        let told = usual.iter().flat_map(|numbers| {
            RATES.map(|error_rate| {
                let told = detection_time(numbers, rate, error_rate);
                DetectionDelay { error_rate, requests: told.requests, seconds: told.seconds }
            })
        });
        let tripped_kept = tripped().count();
        let bake_seconds = settings.bake_time.as_secs_f64();
        Self {
            sight: Sight::new(&found, &lines, usual.as_ref(), rate, bake_seconds),
            log: log.to_owned(),
            format: format.as_str(),
            from: clock(found.from),
            to: clock(found.to),
            requests: found.requests,
            errors: found.errors,
            timed: found.timed,
            tried: findings.len() as u64 + found.more,
            tripped: tripped_kept as u64 + found.more_tripped,
            inconclusive: findings.iter().filter(|finding| finding.verdict == Verdict::Inconclusive).count()
                as u64,
            trips: trips.collect(),
            nearest: nearest.map(|finding| Nearest { at: clock(finding.at), share: finding.peak }),
            settings: counts(findings, tripped_kept),
            told: told.collect(),
            usual,
            requests_per_second: rate,
            hourly: settings.plan == Plan::Hourly,
            bake_seconds,
            lines: LineCounts {
                read: lines.read,
                not_counted: lines.not_counted,
                other_service: lines.other_service,
                late: found.late,
                far: found.far,
                unreadable: lines.unreadable,
                first_unreadable: lines.first_unreadable.map(|(line, text)| Unreadable { line, text }),
            },
        }
    }

    /// The report for people. Scripts read the JSON of this type.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String never fails.
        let _ = self.head(&mut text);
        let _ = self.tripped(&mut text);
        let _ = self.tuning(&mut text);
        text
    }

    fn head(&self, text: &mut String) -> fmt::Result {
        let Self { lines, requests, errors, sight, .. } = self;
        writeln!(text, "{}: {} lines, format {}", self.log, lines.read, self.format)?;
        for blind in &sight.blind {
            writeln!(text, "  the judge is blind here {blind}")?;
        }
        if !sight.power.is_empty() && sight.blind.is_empty() {
            let [least, ..] = sight.power.as_slice() else { return Ok(()) };
            let Power { error_rate, found } = least;
            writeln!(
                text,
                "  the judge sees well here: a version that fails {:.0} % is found in {:.0} % of bakes",
                error_rate * 100.0,
                found * 100.0
            )?;
        }
        if *requests > 0 {
            let share = percent(*errors as f64 / *requests as f64);
            writeln!(text, "  {} to {}", self.from, self.to)?;
            writeln!(text, "  {requests} requests judged, {errors} errors ({share})")?;
        }
        let others = [
            (lines.not_counted, "no evidence (the client went away, or it never got to the service)"),
            (lines.other_service, "of other services"),
            (lines.late, "over a minute out of order: not counted"),
            (lines.far, "with a time that is far from the rest: not counted"),
            (lines.unreadable, "not readable"),
        ];
        for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
            writeln!(text, "  {count} {what}")?;
        }
        if let Some(Unreadable { line, text: shown }) = &lines.first_unreadable {
            writeln!(text, "  the first of those, line {line}: {shown}")?;
        }
        Ok(())
    }

    fn tripped(&self, text: &mut String) -> fmt::Result {
        let Self { tried, tripped, inconclusive, .. } = self;
        if *tried == 0 {
            let hint = if self.hourly {
                "no full hour lies in it: give a time with --at"
            } else {
                "none of the times given with --at lies in it"
            };
            return writeln!(text, "\nno release was tried: {hint}");
        }
        let when = if self.hourly { "one at every hour" } else { "at the times given" };
        writeln!(text, "\nreleases tried: {tried}, {when}")?;
        writeln!(text, "would have been reverted: {tripped} ({})", percent(*tripped as f64 / *tried as f64))?;
        for Trip { at, after_seconds, rule, numbers } in &self.trips {
            writeln!(text, "  {at}  after {after_seconds} s, rule {rule}: {}", words(rule, numbers))?;
        }
        if self.trips.len() < usize::try_from(*tripped).unwrap_or(usize::MAX) {
            writeln!(text, "  ... and more: -o json has the first {TRIPS_SHOWN} too")?;
        }
        if let Some(Nearest { at, share }) = &self.nearest {
            writeln!(text, "the nearest of the others: S came to {} of h at {at}", percent(*share))?;
        }
        if *inconclusive > 0 {
            writeln!(text, "too little traffic for a verdict: {inconclusive}")?;
        }
        Ok(())
    }

    fn tuning(&self, text: &mut String) -> fmt::Result {
        if self.tried == 0 {
            return Ok(());
        }
        writeln!(text, "\nunder other settings, one key changed at a time")?;
        for SettingsCount { settings, tripped, tried } in &self.settings {
            writeln!(text, "  {settings:<18}  {tripped} of {tried} reverted")?;
        }
        let Some(numbers) = &self.usual else { return Ok(()) };
        let (p0, p1) = (percent(numbers.p0), percent(numbers.p1));
        let rate = self.requests_per_second;
        writeln!(
            text,
            "\nwhat a bad version would cost, at {rate:.1} requests a second (p0 {p0}, p1 {p1}, h {:.1}, dispersion {:.1})",
            numbers.h, numbers.dispersion
        )?;
        for DetectionDelay { error_rate, requests, seconds } in &self.told {
            let rate = percent(*error_rate);
            match (requests, seconds) {
                (Some(_), Some(seconds)) if *seconds > self.bake_seconds => {
                    writeln!(
                        text,
                        "  {rate:>8} errors: not told within {:.0} s (bake_time)",
                        self.bake_seconds
                    )?;
                }
                (Some(requests), Some(seconds)) => {
                    let errors = requests * error_rate;
                    writeln!(
                        text,
                        "  {rate:>8} errors: reverted after about {seconds:.0} s, {errors:.0} errors"
                    )?;
                }
                _ => writeln!(text, "  {rate:>8} errors: not told from before")?,
            }
        }
        Ok(())
    }
}

/// The numbers of the release whose traffic was nearest to `rate` (requests a second).
fn usual(findings: &[Finding], rate: f64) -> Option<Numbers> {
    let off = |finding: &&Finding| (finding.requests_per_second - rate).abs();
    findings.iter().min_by(|a, b| off(a).total_cmp(&off(b))).map(|finding| finding.numbers.clone())
}

/// Counts the trips under the settings as given, and under each of [`VARIANTS`].
fn counts(findings: &[Finding], given: usize) -> Vec<SettingsCount> {
    let tried = findings.len();
    let others = VARIANTS.iter().enumerate().map(|(index, variant)| {
        let tripped = findings.iter().filter(|finding| finding.variants.get(index) == Some(&true)).count();
        SettingsCount { settings: variant.name, tripped, tried }
    });
    std::iter::once(SettingsCount { settings: "as given", tripped: given, tried }).chain(others).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The numbers of a tripped rule, in words.
fn words(rule: &str, numbers: &Numbers) -> String {
    match (rule, &numbers.latency, numbers.routes.first()) {
        ("latency", Some(latency), _) => format!(
            "{} slow of {} (tau {} ms), p0 {}, p1 {}, S {:.1} of {:.1}",
            latency.bad,
            latency.n,
            latency.slow_after_ms,
            percent(latency.p0),
            percent(latency.p1),
            latency.s,
            latency.h
        ),
        ("route", _, Some(route)) => format!(
            "{} of {} on {}, p1 {}, S {:.1} of {:.1}",
            route.e,
            route.n,
            route.route,
            percent(route.p1),
            route.s,
            route.h
        ),
        _ => format!(
            "{} errors in {} requests, p0 {}, p1 {}, S {:.1} of {:.1}",
            numbers.e,
            numbers.n,
            percent(numbers.p0),
            percent(numbers.p1),
            numbers.s,
            numbers.h
        ),
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A time in seconds since 1970, as RFC 3339 writes it.
fn clock(second: i64) -> String {
    let since = Duration::from_secs(u64::try_from(second).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}
