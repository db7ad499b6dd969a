//! The whole log: lines to seconds, seconds to imagined releases.

use std::time::Duration;

use crate::judge::{BaselineWindow, Bucket, Outcome, Policy};

use super::Line;
use super::finding::Findings;
use super::seconds::Seconds;
use super::trial::Trial;

/// Findings that are kept; of later ones only the count is.
pub(crate) const FINDINGS_MAX: usize = 10_000;
/// A line this much later than the ones before is not believed: a month without traffic is no log.
const GAP_SECONDS_MAX: i64 = 31 * 86_400;
/// How often what counts as a long request is worked out anew, in seconds of the log.
const LONG_EVERY: i64 = 60;
/// No tau is under this.
const LONG_LEAST_MS: u32 = 50;

/// When releases are imagined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// At every full hour that has requests before it.
    Hourly,
    /// At these times, in seconds since 1970.
    At(Vec<i64>),
}

/// What is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub policy: Policy,
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
    /// When what counts as long was last worked out.
    long_at: i64,
}

impl Replay {
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

    /// Counts a line.
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
        // Also those in which nothing was logged: a release in a quiet night has no traffic.
        while self.seconds.is_full_for(second) {
            self.close();
        }
        self.found.to = self.found.to.max(second);
        self.found.requests += 1;
        self.found.errors += u64::from(line.outcome == Outcome::Error);
        self.found.timed |= line.took_ms.is_some();
        self.seconds.count(line);
    }

    /// Closes what is open and tells what was found.
    pub fn end(mut self) -> Findings {
        while !self.seconds.is_empty() {
            self.close();
        }
        for trial in std::mem::take(&mut self.trials) {
            // Judged for as long as the log went.
            self.keep(trial);
        }
        self.found.late = self.seconds.late;
        self.found
    }

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

    /// Half of what tau would be now is kept as long: it may have moved by the next release.
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
