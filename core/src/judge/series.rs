//! The course of a release, second by second. It is kept to be drawn for people, and the judge does not
//! use it.
//!
//! The course is bounded. When there are more than `POINTS_MAX` points, each two become one. So a bake of
//! any length has at most that many points, and the last points are as fine as the first. Before the
//! candidate has traffic, only the last minute of the old color is kept.

use serde::{Deserialize, Serialize};

use super::{Bucket, Numbers};

/// A release's course in columns (600 points are about 15 KiB of JSON).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Series {
    /// The first point's time, in seconds since 1970 (UTC).
    pub from: i64,
    /// The seconds that each point covers.
    pub step: u32,
    /// The beginning of each point, in seconds after `from`. The points are not evenly spaced where
    /// greenlight did not run.
    pub at: Vec<u32>,
    /// The color under release.
    pub candidate: Counts,
    /// The other color.
    pub old: Counts,
    pub rules: Vec<RuleSeries>,
}

/// One color's sums, one for each point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub requests: Vec<u32>,
    pub errors: Vec<u32>,
    /// Slow attempts without repeats.
    pub slow: Vec<u32>,
}

/// One rule's highest score in each point, and its bound at the point's end, both in nats. A bound of 0
/// means that the rule did not run then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleSeries {
    /// The name of the rule, such as `errors` or `latency`.
    pub rule: String,
    pub s: Vec<f32>,
    pub h: Vec<f32>,
}

impl Series {
    pub(crate) const POINTS_MAX: usize = 600;
    /// The points that are kept of the time before the candidate had traffic.
    pub(crate) const BEFORE_MAX: usize = 60;
    /// The most rules that are drawn.
    const RULES_MAX: usize = 8;

    /// Adds a closed second. `at` is the wall clock in seconds since 1970. If the clock has gone back,
    /// the second is added to the last point. `numbers` are the judge's numbers after this second.
    pub fn push(&mut self, at: i64, candidate: &Bucket, old: &Bucket, numbers: Option<&Numbers>) {
        if self.at.is_empty() {
            *self = Self { from: at, step: 1, rules: std::mem::take(&mut self.rules), ..Self::default() };
        }
        let offset = u32::try_from((at - self.from).max(0)).unwrap_or(u32::MAX);
        let joins = self.at.last().is_some_and(|last| offset < last.saturating_add(self.step));
        if !joins {
            self.at.push(offset);
        }
        self.candidate.add(candidate, joins);
        self.old.add(old, joins);
        if let Some(numbers) = numbers {
            self.judged(numbers);
        }
        let points = self.at.len();
        for rule in &mut self.rules {
            rule.s.resize(points, 0.0);
            rule.h.resize(points, 0.0);
        }
        if points > Self::BEFORE_MAX && self.is_before() {
            self.forget_first();
        } else if points > Self::POINTS_MAX {
            self.halve();
        }
    }

    /// Whether the candidate has had no traffic yet.
    fn is_before(&self) -> bool {
        self.candidate.requests.iter().all(|requests| *requests == 0)
            && self.rules.iter().all(|rule| rule.h.iter().all(|bound| *bound <= 0.0))
    }

    fn judged(&mut self, numbers: &Numbers) {
        let points = self.at.len();
        for (name, s, h) in numbers.scores() {
            let at = self.rules.iter().position(|rule| rule.rule == name);
            let at = match at {
                Some(at) => at,
                None if self.rules.len() == Self::RULES_MAX => continue,
                None => {
                    self.rules.push(RuleSeries { rule: name.to_owned(), ..RuleSeries::default() });
                    self.rules.len() - 1
                }
            };
            let rule = &mut self.rules[at];
            rule.s.resize(points, 0.0);
            rule.h.resize(points, 0.0);
            if let (Some(score), Some(bound)) = (rule.s.last_mut(), rule.h.last_mut()) {
                *score = score.max(rounded(s));
                *bound = rounded(h);
            }
        }
    }

    fn forget_first(&mut self) {
        self.at.remove(0);
        for counts in [&mut self.candidate, &mut self.old] {
            for column in counts.columns() {
                column.remove(0);
            }
        }
        for rule in &mut self.rules {
            rule.s.remove(0);
            rule.h.remove(0);
        }
    }

    /// Joins each two points into one.
    fn halve(&mut self) {
        self.step = self.step.saturating_mul(2);
        self.at = self.at.iter().copied().step_by(2).collect();
        for counts in [&mut self.candidate, &mut self.old] {
            for column in counts.columns() {
                *column =
                    column.chunks(2).map(|pair| pair.iter().copied().fold(0, u32::saturating_add)).collect();
            }
        }
        for rule in &mut self.rules {
            rule.s = rule.s.chunks(2).map(|pair| pair.iter().copied().fold(0.0, f32::max)).collect();
            rule.h = rule.h.chunks(2).filter_map(|pair| pair.last().copied()).collect();
        }
    }

    /// Whether all columns have the same length, as they do if this code wrote them.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let points = self.at.len();
        let counts = [&self.candidate, &self.old].into_iter().all(|counts| {
            [&counts.requests, &counts.errors, &counts.slow].into_iter().all(|column| column.len() == points)
        });
        points <= Self::POINTS_MAX
            && (points == 0 || self.step > 0)
            && self.at.windows(2).all(|pair| pair[0] < pair[1])
            && counts
            && self.rules.iter().all(|rule| rule.s.len() == points && rule.h.len() == points)
    }
}

impl Counts {
    fn add(&mut self, bucket: &Bucket, joins: bool) {
        let counts = [bucket.requests, bucket.errors, bucket.slow];
        for (column, count) in self.columns().into_iter().zip(counts) {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            match column.last_mut() {
                Some(last) if joins => *last = last.saturating_add(count),
                _ => column.push(count),
            }
        }
    }

    fn columns(&mut self) -> [&mut Vec<u32>; 3] {
        [&mut self.requests, &mut self.errors, &mut self.slow]
    }
}

/// Rounds to three decimals. A plot shows no more.
#[expect(clippy::cast_possible_truncation, reason = "scores are small numbers, drawn")]
fn rounded(nats: f64) -> f32 {
    ((nats * 1000.0).round() / 1000.0) as f32
}
