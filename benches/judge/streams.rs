//! What traffic is like: seconds of requests and failures, before the switch and after it.

use crate::random::{Poisson, Random, whole};

/// Seconds of the baseline's window.
pub(crate) const BEFORE: i32 = 600;

/// What happens besides independent errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Steady,
    /// Errors come so many at a time, all in one second: that is their dispersion.
    Bursts {
        clump: u32,
    },
    /// Errors come so many at a time, one a second: the same dispersion, and single seconds do not
    /// show it. At most [`CLUMP_MAX`].
    SlowBursts {
        clump: u32,
    },
    /// So many seconds of such a share of errors, about once a minute.
    Incidents {
        seconds: i32,
        share: f64,
    },
    /// One client makes such a share of the requests and always fails; `before`: so it was before the
    /// switch.
    Client {
        share: f64,
        before: bool,
    },
    /// Traffic grows: by so many times what it was at the switch in an hour.
    Rise {
        hourly: f64,
    },
    /// Eighths of a second in the baseline in which everything fails.
    OutageBefore {
        eighths: i32,
    },
    /// The same in the bake: something that both colors need.
    Outage {
        eighths: i32,
    },
    /// The same, and it begins in the first ten seconds.
    EarlyOutage {
        eighths: i32,
    },
}

/// One cell's traffic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub rps: f64,
    /// The share that fails: before the switch and after it.
    pub before: f64,
    pub after: f64,
    pub shape: Shape,
    /// Seconds of the bake.
    pub bake: i32,
}

/// A second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    pub good: u32,
    pub bad: u32,
    /// Of these the failures of the one client.
    pub client_bad: u32,
}

/// Draws seconds; the tables are made once a cell.
#[derive(Debug)]
pub(crate) struct Source {
    traffic: Traffic,
    before: Pair,
    after: Pair,
    /// Successes of a second of which so many eighths are an outage.
    outage: Vec<Pair>,
    clumps: Poisson,
    clumps_after: Poisson,
    quiet: Poisson,
    incident: Pair,
    client: Poisson,
    others: Pair,
    rise: Vec<Pair>,
}

#[derive(Debug)]
struct Pair {
    good: Poisson,
    bad: Poisson,
}

const EIGHTHS: i32 = 8;
/// Errors in a clump.
const CLUMP_MAX: usize = 8;
/// Traffic is taken for constant for so long while it rises.
const RISE_STEP: i32 = 30;

impl Pair {
    fn new(rps: f64, share: f64) -> Self {
        Self { good: Poisson::new(rps * (1.0 - share)), bad: Poisson::new(rps * share) }
    }

    fn draw(&self, random: &mut Random) -> Second {
        Second { good: self.good.draw(random), bad: self.bad.draw(random), client_bad: 0 }
    }
}

/// What one run keeps of its past.
#[derive(Debug)]
pub(crate) struct Run {
    /// In eighths of a second.
    outage_at: i32,
    incident_left: i32,
    /// Failures that are still to come, by second.
    pending: [u32; CLUMP_MAX],
}

impl Source {
    pub(crate) fn new(traffic: Traffic) -> Self {
        let Traffic { rps, before, after, .. } = traffic;
        let steps = (BEFORE + traffic.bake) / RISE_STEP + 1;
        let (hourly, rise) = match traffic.shape {
            Shape::Rise { hourly } => (hourly, 0..steps),
            _ => (0.0, 0..0),
        };
        let clump = match traffic.shape {
            Shape::Bursts { clump } | Shape::SlowBursts { clump } => f64::from(clump),
            _ => 1.0,
        };
        let client = if let Shape::Client { share, .. } = traffic.shape { share } else { 0.0 };
        let incident = if let Shape::Incidents { share, .. } = traffic.shape { share } else { 0.0 };
        Self {
            traffic,
            before: Pair::new(rps, before),
            after: Pair::new(rps, after),
            outage: (0..=EIGHTHS)
                .map(|eighths| {
                    let share = f64::from(eighths) / f64::from(EIGHTHS);
                    Pair::new(rps, share + (1.0 - share) * after)
                })
                .collect(),
            clumps: Poisson::new(rps * before / clump),
            clumps_after: Poisson::new(rps * after / clump),
            quiet: Poisson::new(rps),
            incident: Pair::new(rps, incident),
            client: Poisson::new(client * rps),
            others: Pair::new((1.0 - client) * rps, after),
            rise: rise
                .map(|step| {
                    let at = f64::from(step * RISE_STEP - BEFORE);
                    Pair::new(rps * (1.0 + hourly * at / 3600.0), before)
                })
                .collect(),
        }
    }

    pub(crate) fn start(&self, random: &mut Random) -> Run {
        let span = match self.traffic.shape {
            Shape::OutageBefore { .. } => BEFORE - 3,
            Shape::EarlyOutage { .. } => 10,
            _ => self.traffic.bake - 3,
        };
        let at = random.unit() * f64::from(span * EIGHTHS);
        let outage_at = i32::try_from(whole(at)).unwrap_or(0);
        let before = matches!(self.traffic.shape, Shape::OutageBefore { .. });
        let outage_at = if before { outage_at - BEFORE * EIGHTHS } else { outage_at };
        Run { outage_at, incident_left: 0, pending: [0; CLUMP_MAX] }
    }

    /// The second that begins at `at`: 0 is the switch.
    pub(crate) fn second(&self, run: &mut Run, at: i32, random: &mut Random) -> Second {
        let plain = if at < 0 { &self.before } else { &self.after };
        match self.traffic.shape {
            Shape::Bursts { clump } => {
                let clumps = if at < 0 { &self.clumps } else { &self.clumps_after };
                Second { good: plain.good.draw(random), bad: clump * clumps.draw(random), client_bad: 0 }
            }
            Shape::SlowBursts { clump } => {
                let clumps = if at < 0 { &self.clumps } else { &self.clumps_after };
                let new = clumps.draw(random);
                run.pending.iter_mut().take(clump as usize).for_each(|count| *count += new);
                let bad = run.pending[0];
                run.pending.rotate_left(1);
                run.pending[CLUMP_MAX - 1] = 0;
                Second { good: plain.good.draw(random), bad, client_bad: 0 }
            }
            Shape::Incidents { seconds, .. } => {
                let begins = random.unit() < 1.0 / 60.0;
                run.incident_left = if begins { seconds } else { (run.incident_left - 1).max(0) };
                if run.incident_left > 0 {
                    self.incident.draw(random)
                } else {
                    Second { good: self.quiet.draw(random), ..Second::default() }
                }
            }
            Shape::Client { before, .. } if at >= 0 || before => {
                let mut second = self.others.draw(random);
                second.client_bad = self.client.draw(random);
                second.bad += second.client_bad;
                second
            }
            Shape::Steady | Shape::Client { .. } => plain.draw(random),
            Shape::Rise { .. } => {
                let step = usize::try_from((at + BEFORE) / RISE_STEP).unwrap_or(0);
                self.rise[step.min(self.rise.len() - 1)].draw(random)
            }
            Shape::OutageBefore { eighths: lasts }
            | Shape::Outage { eighths: lasts }
            | Shape::EarlyOutage { eighths: lasts } => {
                let begins = at * EIGHTHS;
                let (from, until) =
                    (run.outage_at.max(begins), (run.outage_at + lasts).min(begins + EIGHTHS));
                let eighths = usize::try_from(until - from).unwrap_or(0);
                self.outage[eighths.min(8)].draw(random)
            }
        }
    }
}
