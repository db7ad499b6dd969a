//! What runs behind the front door: endpoints that come up, refuse, hang, flap and fail.

use std::time::Duration;

use greenlight::health::{ProbeFailure, ProbeOutcome};
use greenlight::judge::{Bucket, Outcome};
use greenlight::model::PerColor;

use super::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Up,
    Refused,
    Hung,
    Error,
    /// Up and down by turns, each so many milliseconds.
    Flapping(i64),
}

pub(super) const MODES: [Mode; 6] =
    [Mode::Up, Mode::Refused, Mode::Hung, Mode::Error, Mode::Flapping(2_500), Mode::Flapping(7_000)];

/// The endpoints of both colors. What is served fails at a rate of its own: a healthy probe says
/// nothing about requests.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    pub modes: PerColor<Vec<Mode>>,
    /// Failed requests in a thousand.
    pub errors: PerColor<u64>,
    /// Requests a second.
    pub load: u64,
    /// Whether the old color gets requests of our own while a candidate bakes.
    pub asked: bool,
}

impl Upstream {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let size = |rng: &mut Rng| usize::try_from(1 + rng.below(3)).unwrap();
        let blue = vec![Mode::Up; size(rng)];
        let green = vec![Mode::Up; size(rng)];
        let load = rng.pick(&[0, 5, 20, 60]);
        let asked = rng.one_in(300);
        Self { modes: PerColor { blue, green }, errors: PerColor::default(), load, asked }
    }

    pub(super) fn heal(&mut self) {
        for color in greenlight::model::Color::ALL {
            self.modes[color].fill(Mode::Up);
            self.errors[color] = 0;
        }
    }

    /// How a probe ends that starts now, and after how long.
    pub(super) fn probe(mode: Mode, now: i64, timeout: Duration) -> (ProbeOutcome, i64) {
        let up = match mode {
            Mode::Up => true,
            Mode::Flapping(period) => now / period % 2 == 0,
            Mode::Refused => return (ProbeOutcome::Fail(ProbeFailure::Refused), 1),
            Mode::Hung => {
                let timeout = i64::try_from(timeout.as_millis()).unwrap();
                return (ProbeOutcome::Fail(ProbeFailure::Timeout), timeout);
            }
            Mode::Error => false,
        };
        if up { (ProbeOutcome::Pass, 3) } else { (ProbeOutcome::Fail(ProbeFailure::Status(503)), 3) }
    }

    /// One second of requests to a color.
    pub(super) fn serve(
        &self,
        color: greenlight::model::Color,
        now: i64,
        rng: &mut Rng,
        bucket: &mut Bucket,
    ) {
        let modes = &self.modes[color];
        for client in 0..self.load {
            let mode = modes[usize::try_from(client).unwrap() % modes.len()];
            let up = match mode {
                Mode::Up => true,
                Mode::Flapping(period) => now / period % 2 == 0,
                Mode::Refused | Mode::Hung | Mode::Error => false,
            };
            let failed = !up || rng.one_in(self.errors[color]);
            let outcome = if failed { Outcome::Error } else { Outcome::Success };
            bucket.record(client, outcome, Some(Duration::from_millis(4)));
        }
    }
}
