//! The parameters of the rows. The constants of the judge were tuned on one set of rows, and the other set
//! played no part in the tuning.

use crate::latency::{Change, Times};
use crate::streams::Shape;

/// The numbers of one set of rows.
#[derive(Debug)]
pub(crate) struct Parameters {
    /// Requests a second. Each value is a column.
    pub rps: &'static [f64],
    /// Shares of requests that fail, the same before and after the switch.
    pub rates: &'static [f64],
    /// The lengths of the bakes in seconds.
    pub bakes: [i32; 2],
    /// The number of requests in a thin baseline.
    pub thin: u32,
    /// Traffic whose errors are unchanged by the switch but not independent of each other.
    pub odd: &'static [Odd],
    /// The distributions of the times to first byte, with their names.
    pub times: &'static [(&'static str, Times)],
    /// A cold start of the candidate.
    pub cold: Change,
    /// Times of which a share are long polls.
    pub polls: Times,
    /// The length in seconds of a bake in which times are judged.
    pub times_bake: i32,
    pub routes: Routes,
    /// The share that fails before the switch, where the candidate is worse.
    pub before: f64,
    /// The shares that fail after the switch, where the candidate is worse.
    pub worse: &'static [f64],
    /// The factors by which a candidate is slower.
    pub slower: &'static [f64],
    /// The number of clients that hang at once.
    pub hang: u32,
}

/// Rows with errors that are not independent: name, shape, shares of failures, and the bar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Odd {
    pub name: &'static str,
    pub shape: Shape,
    pub rates: &'static [f64],
    pub bar: f64,
}

/// The routes of a service. The last of the `count` routes is rare and has the share `rare` of the requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routes {
    pub count: usize,
    pub rare: f64,
}

const fn odd(name: &'static str, shape: Shape, rates: &'static [f64], bar: f64) -> Odd {
    Odd { name, shape, rates, bar }
}

/// The main rows. The constants of the judge were tuned on them.
pub(crate) const TUNED: Parameters = Parameters {
    rps: &[0.2, 1.0, 10.0, 100.0, 1000.0],
    rates: &[0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.2, 0.4],
    bakes: [300, 3600],
    thin: 100,
    odd: &[
        odd("errors five at a time", Shape::Bursts { clump: 5 }, &[0.001, 0.01, 0.05], 0.01),
        odd("errors five in five seconds", Shape::SlowBursts { clump: 5 }, &[0.001, 0.01, 0.05], 0.01),
        odd("6 s of 10 % a minute", Shape::Incidents { seconds: 6, share: 0.1 }, &[0.0], 0.01),
        odd(
            "a client of 30 % fails, as before",
            Shape::Client { share: 0.3, before: true },
            &[0.001, 0.01],
            0.01,
        ),
        odd(
            "a client of 30 % fails from the switch on",
            Shape::Client { share: 0.3, before: false },
            &[0.001, 0.01],
            0.01,
        ),
        odd("traffic grows threefold", Shape::Rise { hourly: 2.0 }, &[0.001, 0.01, 0.05], 0.01),
        odd("2 s outage in the baseline", Shape::OutageBefore { eighths: 16 }, &[0.001, 0.01], 0.01),
        odd("2 s outage in the bake", Shape::Outage { eighths: 16 }, &[0.001, 0.01, 0.05, 0.2], 0.02),
        odd("2 s outage in its first 10 s", Shape::EarlyOutage { eighths: 16 }, &[0.001, 0.01], 0.02),
    ],
    times: &[
        ("exponential", Times::Exponential),
        ("lognormal 0.3", Times::Lognormal(0.3)),
        ("lognormal 0.5", Times::Lognormal(0.5)),
        ("lognormal 1", Times::Lognormal(1.0)),
    ],
    cold: Change::ColdStart { times: 5.0, seconds: 8 },
    polls: Times::LongPolls { share: 0.04, seconds: 29.0 },
    times_bake: 300,
    routes: Routes { count: 20, rare: 0.01 },
    before: 0.001,
    worse: &[0.015, 0.025, 0.05, 0.2, 1.0],
    slower: &[2.0, 3.0, 5.0],
    hang: 50,
};

/// Rows that no constant was tuned on, with seeds of their own.
pub(crate) const HELD_OUT: Parameters = Parameters {
    rps: &[0.5, 3.0, 30.0, 300.0],
    rates: &[0.0005, 0.003, 0.03, 0.12, 0.3],
    bakes: [600, 1800],
    thin: 150,
    odd: &[
        odd("errors three at a time", Shape::Bursts { clump: 3 }, &[0.003, 0.03], 0.01),
        odd("errors eight at a time", Shape::Bursts { clump: 8 }, &[0.003, 0.03], 0.01),
        odd("errors three in three seconds", Shape::SlowBursts { clump: 3 }, &[0.003, 0.03], 0.01),
        odd("errors eight in eight seconds", Shape::SlowBursts { clump: 8 }, &[0.003, 0.03], 0.01),
        odd("4 s of 20 % a minute", Shape::Incidents { seconds: 4, share: 0.2 }, &[0.0], 0.01),
        odd(
            "a client of 15 % fails, as before",
            Shape::Client { share: 0.15, before: true },
            &[0.0005, 0.003],
            0.01,
        ),
        odd(
            "a client of 15 % fails from the switch on",
            Shape::Client { share: 0.15, before: false },
            &[0.0005, 0.003],
            0.01,
        ),
        odd(
            "a client of 45 % fails from the switch on",
            Shape::Client { share: 0.45, before: false },
            &[0.0005, 0.003],
            0.01,
        ),
        odd("traffic grows fivefold", Shape::Rise { hourly: 4.0 }, &[0.003, 0.03], 0.01),
        odd("1.5 s outage in the baseline", Shape::OutageBefore { eighths: 12 }, &[0.003, 0.03], 0.01),
        odd("1.5 s outage in the bake", Shape::Outage { eighths: 12 }, &[0.0005, 0.003, 0.03, 0.12], 0.02),
        odd("2 s outage in the bake", Shape::Outage { eighths: 16 }, &[0.0005, 0.003, 0.03, 0.12], 0.02),
        odd("1.5 s outage in its first 10 s", Shape::EarlyOutage { eighths: 12 }, &[0.003, 0.03], 0.02),
    ],
    times: &[("lognormal 0.4", Times::Lognormal(0.4)), ("lognormal 0.8", Times::Lognormal(0.8))],
    cold: Change::ColdStart { times: 8.0, seconds: 5 },
    polls: Times::LongPolls { share: 0.08, seconds: 20.0 },
    times_bake: 600,
    routes: Routes { count: 45, rare: 0.005 },
    before: 0.003,
    worse: &[0.03, 0.08, 0.4, 1.0],
    slower: &[2.5, 4.0],
    hang: 30,
};
