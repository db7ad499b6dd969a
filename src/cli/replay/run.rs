//! Replays a whole log. Lines become seconds, and seconds go to imagined releases.

use std::time::Duration;

use crate::judge::{BaselineWindow, Bucket, Outcome, Policy};

use super::Line;
use super::finding::Findings;
use super::seconds::Seconds;
use super::trial::Trial;

/// The largest number of findings that the replay keeps. It only counts later ones.
pub(crate) const FINDINGS_MAX: usize = 10_000;
/// The largest distance in seconds between a line and the lines before it. The replay does not believe a
/// line that is farther away, because a log does not go a month without traffic.
const GAP_SECONDS_MAX: i64 = 31 * 86_400;
/// How often the replay computes the threshold of long requests anew, in seconds of the log.
const LONG_EVERY: i64 = 60;
/// The lowest threshold of long requests, in milliseconds. No tau is lower.
const LONG_LEAST_MS: u32 = 50;

/// The times at which the replay imagines releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// At every full hour (UTC) whose baseline has requests.
    Hourly,
    /// At these times, in seconds since 1970.
    At(Vec<i64>),
}

/// The settings of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub policy: Policy,
    /// How long the replay judges each release.
    pub bake_time: Duration,
    pub plan: Plan,
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    settings: Settings,
    seconds: Seconds,
    window: BaselineWindow,
    trials: Vec<Trial>,
    found: Findings,
    /// When the replay last computed the threshold of long requests, in seconds since 1970.
    long_at: i64,
}

impl Replay {
    /// Begins a replay that has read no line yet.
    pub fn new(settings: Settings) -> Self {
        let mut seconds = Seconds::default();
        seconds.long_from(LONG_LEAST_MS);
        Self {
            settings,
            seconds,
            window: BaselineWindow::default(),
            trials: Vec::new(),
            found: Findings::default(),
            long_at: i64::MIN,
        }
    }

    /// Counts a line, and judges each second that the line closes.
    pub fn add(&mut self, line: &Line) {
        let second = line.ended_ms.div_euclid(1000);
        match self.seconds.end() {
            None => self.found.from = second,
            Some(end) if (second - end).abs() > GAP_SECONDS_MAX => {
                self.found.far += 1;
                return;
            }
            Some(_) => {}
        }
        // Seconds without a line close too, because a release in a quiet night has no traffic.
        while self.seconds.is_full_for(second) {
            self.close();
        }
        if !self.seconds.count(line) {
            return;
        }
        self.found.to = self.found.to.max(second);
        self.found.requests += 1;
        self.found.errors += u64::from(line.outcome == Outcome::Error);
        self.found.timed |= line.took_ms.is_some();
    }

    /// Closes the open seconds and returns the results.
    pub fn end(mut self) -> Findings {
        while !self.seconds.is_empty() {
            self.close();
        }
        for trial in std::mem::take(&mut self.trials) {
            // The log ended before this release's bake time. Its judge has seen every line there is.
            self.keep(trial);
        }
        self.found.late = self.seconds.late;
        self.found
    }

    /// Closes the oldest second and gives it to every judge.
    fn close(&mut self) {
        let now = self.seconds.first();
        self.begin(now);
        let bucket = self.seconds.take_first();
        self.observe(now, &bucket);
        self.seconds.close(bucket);
    }

    /// Imagines a release before this second, if one is due.
    fn begin(&mut self, now: i64) {
        let due = match &self.settings.plan {
            Plan::Hourly => now % 3600 == 0 && self.found.from < now,
            Plan::At(times) => times.contains(&now),
        };
        if !due {
            return;
        }
        let baseline = self.window.freeze(&self.settings.policy);
        if baseline.requests == 0 && self.settings.plan == Plan::Hourly {
            return;
        }
        let bake = self.settings.bake_time.as_secs();
        self.trials.push(Trial::new(now, &baseline, &self.settings.policy, bake));
    }

    fn observe(&mut self, now: i64, bucket: &Bucket) {
        for trial in &mut self.trials {
            trial.observe(now, bucket, &self.seconds);
        }
        let bake = i64::try_from(self.settings.bake_time.as_secs()).unwrap_or(i64::MAX);
        while let Some(at) = self.trials.iter().position(|trial| now + 1 >= trial.at.saturating_add(bake)) {
            let trial = self.trials.remove(at);
            self.keep(trial);
        }
        self.window.push(bucket, &self.settings.policy);
        if now >= self.long_at.saturating_add(LONG_EVERY) {
            self.long_at = now;
            self.look_for_long();
        }
    }

    /// Sets the threshold of long requests to half of the tau that a freeze would give now. The other half
    /// is a margin, because tau may have moved by the next release.
    fn look_for_long(&mut self) {
        let tau = self.window.freeze(&self.settings.policy).latency.map(|latency| latency.slow_after);
        let half = tau.map_or(LONG_LEAST_MS, |tau| u32::try_from(tau.as_millis() / 2).unwrap_or(u32::MAX));
        self.seconds.long_from(half.max(LONG_LEAST_MS));
    }

    fn keep(&mut self, trial: Trial) {
        let finding = trial.end();
        if self.found.findings.len() < FINDINGS_MAX {
            self.found.findings.push(finding);
        } else {
            self.found.more += 1;
            self.found.more_tripped += u64::from(finding.tripped.is_some());
        }
    }
}
