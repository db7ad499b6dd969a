//! The view of the demo at one moment, as lines of text.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use super::tally::Counts;
use crate::control_plane::controller::{EndpointView, ServiceView};
use crate::model::Color;
use crate::release::StateName;

/// How many of the last happenings are shown.
pub(super) const EVENTS_SHOWN: usize = 8;
const BAR_CELLS: usize = 24;

/// Something that happened during the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happening {
    /// The time since the demo began.
    pub at: Duration,
    pub text: String,
}

/// All data that one frame shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// The time since the demo began.
    pub elapsed: Duration,
    /// A sentence about the present act.
    pub headline: String,
    pub service: Option<ServiceView>,
    pub counts: Counts,
    pub happenings: VecDeque<Happening>,
}

/// The style of a run of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Strong,
    Faint,
    Blue,
    Green,
    Bad,
}

/// A line, made of runs of text with their styles.
pub(super) type Line = Vec<(Look, String)>;

impl Moment {
    /// The frame of this moment. Every frame has the same number of lines, so that the next one can be drawn
    /// over it.
    #[must_use]
    pub(super) fn frame(&self) -> Vec<Line> {
        let mut lines = vec![
            vec![
                (Look::Strong, "greenlight demo".to_owned()),
                (Look::Faint, format!("   {:>5.1} s", self.elapsed.as_secs_f64())),
            ],
            vec![(Look::Plain, self.headline.clone())],
            Line::new(),
            self.state_line(),
            self.clock_line(),
            self.judge_line(),
        ];
        lines.extend(Color::ALL.map(|color| self.color_line(color)));
        lines.push(self.load_line());
        lines.push(Line::new());
        for slot in 0..EVENTS_SHOWN {
            let line = self.happenings.get(slot).map(|happening| {
                vec![
                    (Look::Faint, format!("  {:>5.1} s  ", happening.at.as_secs_f64())),
                    (Look::Plain, happening.text.clone()),
                ]
            });
            lines.push(line.unwrap_or_default());
        }
        lines
    }

    /// The moment in one line, for a log.
    #[must_use]
    pub(super) fn summary(&self) -> String {
        let mut text = match &self.service {
            Some(service) => format!("{}, active {}, epoch {}", service.state, service.active, service.epoch),
            None => "starting".to_owned(),
        };
        for color in Color::ALL {
            let (good, failed) = (self.counts.of(color.as_str()), self.counts.failed_by(color.as_str()));
            let _ = write!(text, "; {color} {good} answered");
            if failed > 0 {
                let _ = write!(text, ", {failed} failed");
            }
        }
        if let Some((score, bound)) = self.score() {
            let _ = write!(text, "; judge S {score:.1} of {bound:.1}");
        }
        if let Some(left) = self.time_left() {
            let _ = write!(text, "; {left:.0} s left");
        }
        text
    }

    /// The seconds until the deadline of the running release's state. A stable service has a deadline too,
    /// such as the end of its standby, but the demo does not show it.
    fn time_left(&self) -> Option<f64> {
        self.service.as_ref().filter(|service| service.state != StateName::Stable)?.deadline_in_seconds
    }

    /// A number of the running release, such as `h`, by its name in the API.
    fn number(&self, key: &str) -> Option<f64> {
        self.service.as_ref()?.release.as_ref()?.numbers.get(key)?.as_f64()
    }

    /// The judge's score and its bound, in nats, while a release has a bound.
    fn score(&self) -> Option<(f64, f64)> {
        let bound = self.number("h").filter(|bound| *bound > 0.0)?;
        Some((self.number("s").unwrap_or_default(), bound))
    }

    fn state_line(&self) -> Line {
        let mut line = vec![(Look::Faint, "  state    ".to_owned())];
        let Some(service) = &self.service else {
            line.push((Look::Plain, "starting".to_owned()));
            return line;
        };
        let is_bad = matches!(service.state, StateName::Reverting | StateName::Degraded);
        line.push((if is_bad { Look::Bad } else { Look::Strong }, format!("{:<20}", service.state)));
        line.push((Look::Faint, "active ".to_owned()));
        let look = if service.active == Color::Blue { Look::Blue } else { Look::Green };
        line.push((look, format!("{:<8}", service.active.as_str())));
        line.push((Look::Faint, "epoch ".to_owned()));
        line.push((Look::Plain, service.epoch.to_string()));
        line
    }

    fn clock_line(&self) -> Line {
        let mut line = vec![(Look::Faint, "  release  ".to_owned())];
        let Some(service) = &self.service else { return line };
        let text = match &service.release {
            Some(release) => {
                format!("{} ({} on {}): {}", release.id, release.version, release.color, release.state)
            }
            None => "none yet".to_owned(),
        };
        line.push((Look::Plain, text));
        if let Some(left) = self.time_left() {
            line.push((Look::Faint, format!("   {left:.1} s left")));
        }
        line
    }

    fn judge_line(&self) -> Line {
        let mut line = vec![(Look::Faint, "  judge    ".to_owned())];
        let Some((score, bound)) = self.score() else {
            line.push((Look::Faint, "waits for a switch".to_owned()));
            return line;
        };
        let share = (score / bound).clamp(0.0, 1.0);
        let look = if share >= 0.5 { Look::Bad } else { Look::Plain };
        line.push((look, bar(share)));
        line.push((Look::Plain, format!(" S {score:.1} of h {bound:.1}")));
        let count = |key| self.number(key).unwrap_or_default();
        let rest = format!(
            "   {:.0} requests, {:.0} errors; expected {:.1} %, bad {:.1} %",
            count("n"),
            count("e"),
            count("p0") * 100.0,
            count("p1") * 100.0
        );
        line.push((Look::Faint, rest));
        line
    }

    fn color_line(&self, color: Color) -> Line {
        let look = if color == Color::Blue { Look::Blue } else { Look::Green };
        let name = color.as_str();
        let mut line = vec![
            (look, format!("  {name:<9}")),
            (Look::Plain, format!("{:>8} answered", self.counts.of(name))),
        ];
        let failed = self.counts.failed_by(name);
        let failed_look = if failed > 0 { Look::Bad } else { Look::Faint };
        line.push((failed_look, format!("{failed:>6} failed   ")));
        line.push((
            Look::Faint,
            self.service.as_ref().map(|service| healths(service, color)).unwrap_or_default(),
        ));
        line
    }

    fn load_line(&self) -> Line {
        let counts = &self.counts;
        let look = if counts.lost() > 0 { Look::Bad } else { Look::Faint };
        vec![
            (Look::Faint, "  clients  ".to_owned()),
            (Look::Plain, format!("{:>8} requests", counts.total())),
            (look, format!("{:>6} failed", counts.lost())),
            (Look::Faint, format!("   slowest {} ms", counts.slowest.as_millis())),
        ]
    }
}

fn bar(share: f64) -> String {
    let filled = (0..BAR_CELLS).filter(|cell| (*cell as f64) < share * BAR_CELLS as f64).count();
    format!("[{}{}]", "#".repeat(filled), ".".repeat(BAR_CELLS - filled))
}

fn healths(service: &ServiceView, color: Color) -> String {
    let of_color: Vec<&EndpointView> =
        service.endpoints.iter().filter(|endpoint| endpoint.color == color).collect();
    let words: Vec<String> =
        of_color.iter().map(|endpoint| format!("{} {}", endpoint.address, endpoint.health)).collect();
    words.join(", ")
}
