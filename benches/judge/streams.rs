//! Made-up traffic, as seconds of requests and failures before the switch and after it.

use crate::random::{Poisson, Random, whole};

/// The length of the baseline's window in seconds.
pub(crate) const BEFORE: i32 = 600;

/// The kinds of traffic, by what happens besides independent errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Steady,
    /// Errors come `clump` at a time, all in one second. `clump` is their dispersion.
    Bursts {
        clump: u32,
    },
    /// Errors come `clump` at a time, one a second. The dispersion is the same, but single seconds do not
    /// show it. At most [`CLUMP_MAX`].
    SlowBursts {
        clump: u32,
    },
    /// About once a minute there are this many seconds with this share of errors.
    Incidents {
        seconds: i32,
        share: f64,
    },
    /// One client makes this share of the requests and always fails. `before` says whether it did so
    /// before the switch, too.
    Client {
        share: f64,
        before: bool,
    },
    /// Traffic grows. In an hour it grows by `hourly` times the traffic at the switch.
    Rise {
        hourly: f64,
    },
    /// Everything fails for this many eighths of a second in the baseline.
    OutageBefore {
        eighths: i32,
    },
    /// The same in the bake, because something fails that both colors need.
    Outage {
        eighths: i32,
    },
    /// The same, but it begins in the first ten seconds of the bake.
    EarlyOutage {
        eighths: i32,
    },
}

/// The traffic of one cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub rps: f64,
    /// The share that fails before the switch.
    pub before: f64,
    /// The share that fails after the switch.
    pub after: f64,
    pub shape: Shape,
    /// The length of the bake in seconds.
    pub bake: i32,
}

/// The requests of one second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    pub good: u32,
    pub bad: u32,
    /// Those of `bad` that are failures of the one client.
    pub client_bad: u32,
}

/// Draws seconds. Its tables are made once for each cell.
#[derive(Debug)]
pub(crate) struct Source {
    traffic: Traffic,
    before: Pair,
    after: Pair,
    /// The counts of a second, by the number of its eighths that are an outage.
    outage: Vec<Pair>,
    clumps: Poisson,
    clumps_after: Poisson,
    quiet: Poisson,
    incident: Pair,
    client: Poisson,
    others: Pair,
    rise: Vec<Pair>,
}

/// The distributions of the successes and the failures of a second.
#[derive(Debug)]
struct Pair {
    good: Poisson,
    bad: Poisson,
}

const EIGHTHS: i32 = 8;
/// The largest number of errors in a clump.
const CLUMP_MAX: usize = 8;
/// Rising traffic is taken as constant for this many seconds.
const RISE_STEP: i32 = 30;

impl Pair {
    fn new(rps: f64, share: f64) -> Self {
        Self { good: Poisson::new(rps * (1.0 - share)), bad: Poisson::new(rps * share) }
    }

    fn draw(&self, random: &mut Random) -> Second {
        Second { good: self.good.draw(random), bad: self.bad.draw(random), client_bad: 0 }
    }
}

/// The state that one run carries from second to second.
#[derive(Debug)]
pub(crate) struct Run {
    /// The beginning of the outage, in eighths of a second after the switch.
    outage_at: i32,
    /// The seconds that the present incident still lasts.
    incident_left: i32,
    /// The failures that are still to come, by second.
    pending: [u32; CLUMP_MAX],
}

impl Source {
    /// Computes the distributions of a cell.
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

    /// Starts a run: draws the moment of its outage.
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

    /// Draws the second that begins at `at`. The switch is at 0.
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
