//! A release's course as it is drawn. It has seconds from the switch, marks, and the bound that was
//! crossed.

use std::time::UNIX_EPOCH;

use crate::control_plane::controller::{EventView, ReleaseView};
use crate::judge::{RuleSeries, Series};
use crate::release::StateName;

/// The data that both the text and the SVG draw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Course<'a> {
    pub(crate) series: &'a Series,
    /// The start of each point, in seconds from the switch. If there was no switch, it is in seconds from
    /// the candidate's first request.
    pub(crate) x: Vec<f64>,
    pub(crate) marks: Vec<Mark>,
    /// The first point at which the score of a rule reached its bound.
    pub(crate) crossed: Option<Crossing>,
    /// Whether second 0 is the switch.
    pub(crate) switched: bool,
}

/// A moment with a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) x: f64,
    pub(crate) name: &'static str,
}

/// The point at which a rule reached its bound.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crossing {
    pub(crate) rule: String,
    pub(crate) x: f64,
    pub(crate) s: f64,
    pub(crate) h: f64,
}

impl<'a> Course<'a> {
    /// `None` if there are not at least two points to draw.
    pub(crate) fn new(release: &ReleaseView, events: &[EventView], series: &'a Series) -> Option<Self> {
        if series.at.len() < 2 {
            return None;
        }
        let switch = release.promoted_at.as_deref().and_then(seconds);
        // A release that ended in its canary has no switch. Its course starts at its first request.
        let first = series.candidate.requests.iter().position(|requests| *requests > 0);
        let first = first.and_then(|at| series.at.get(at)).copied().unwrap_or(0);
        let zero = switch.unwrap_or(series.from as f64 + f64::from(first));
        let x: Vec<f64> = series.at.iter().map(|at| series.from as f64 + f64::from(*at) - zero).collect();
        let (first, last) = (x[0], x[x.len() - 1] + f64::from(series.step));
        let marks = events
            .iter()
            .filter_map(|event| Some(Mark { x: seconds(&event.time)? - zero, name: mark(event.state()?)? }))
            .filter(|mark| mark.x >= first && mark.x <= last)
            .collect();
        let crossed = series
            .rules
            .iter()
            .filter_map(|rule| crossing(rule, &x, f64::from(series.step)))
            .min_by(|a, b| a.x.total_cmp(&b.x));
        Some(Self { series, x, marks, crossed, switched: switch.is_some() })
    }

    /// How many seconds a point stands for.
    pub(crate) fn step(&self) -> f64 {
        f64::from(self.series.step.max(1))
    }

    /// A column of counts as events per second.
    pub(crate) fn rate(&self, column: &[u32]) -> Vec<f64> {
        column.iter().map(|count| f64::from(*count) / self.step()).collect()
    }

    /// The end of the last point, in seconds from the switch.
    pub(crate) fn end(&self) -> f64 {
        self.x.last().copied().unwrap_or(0.0) + self.step()
    }

    /// The rules that were run and have something of their own to show. The error rule is always one of
    /// them. Any other rule is shown if its score moved, and not in the same way as the score of the error
    /// rule (as it does in a service with one route).
    pub(crate) fn rules(&self) -> impl Iterator<Item = &'a RuleSeries> {
        let errors = self.series.rules.iter().find(|rule| rule.rule == "errors");
        let run = |rule: &&RuleSeries| rule.h.iter().any(|bound| *bound > 0.0);
        let told = move |rule: &&RuleSeries| {
            let moved = rule.s.iter().any(|score| *score > 0.0);
            rule.rule == "errors" || (moved && errors.is_none_or(|errors| errors.s != rule.s))
        };
        self.series.rules.iter().filter(run).filter(told)
    }

    /// The bound that was crossed, in a sentence.
    pub(crate) fn crossed_in_words(&self) -> Option<String> {
        let Crossing { rule, x, s, h } = self.crossed.as_ref()?;
        let since = if self.switched { "after the switch" } else { "after its first request" };
        Some(format!("the {rule} rule was at its bound {x:.0} s {since}: S {s:.2}, h {h:.2}"))
    }
}

/// The first point at which the rule reached its bound. A score is known when its second has closed, so the
/// time is the end of the point.
fn crossing(rule: &RuleSeries, x: &[f64], step: f64) -> Option<Crossing> {
    let at = rule.s.iter().zip(&rule.h).position(|(score, bound)| *bound > 0.0 && score >= bound)?;
    Some(Crossing {
        rule: rule.rule.clone(),
        x: x.get(at)? + step,
        s: f64::from(rule.s[at]),
        h: f64::from(rule.h[at]),
    })
}

/// The states that are marked in a plot.
const fn mark(state: StateName) -> Option<&'static str> {
    Some(match state {
        StateName::Promoting => "switch",
        StateName::Reverting => "back",
        StateName::Succeeded => "end",
        StateName::Failed => "failed",
        StateName::Degraded => "degraded",
        _ => return None,
    })
}

/// An RFC 3339 time as seconds since 1970.
fn seconds(time: &str) -> Option<f64> {
    let time = humantime::parse_rfc3339_weak(time).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}
