//! Every row of the tables.

use crate::bake;
use crate::latency::{self, Change, Times};
use crate::parameters::{Parameters, TUNED};
use crate::routes;
use crate::streams::{Shape, Traffic};

/// The bar of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bar {
    /// Every revert is false. At most this share of the runs may have one.
    False(f64),
    /// Every revert is right. All runs must have one within this many seconds.
    Within(i32),
    /// Every revert is right. The median time is compared with those of the rivals.
    Median,
    /// Every revert is right. The median time is only shown.
    Shown,
}

/// The scenario of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Errors(bake::Setup),
    Latency(latency::Setup),
    Routes(routes::Setup),
}

/// One cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The table that the cell is in.
    pub group: &'static str,
    /// The name of its row.
    pub row: String,
    /// The name of its column.
    pub column: String,
    pub kind: Kind,
    pub bar: Bar,
    pub runs: u64,
}

pub(crate) const INDEPENDENT: &str = "Independent errors, the rate unchanged";
pub(crate) const THIN_GROUP: &str = "The same after a baseline of few requests";
pub(crate) const ODD: &str = "Unchanged, but not independent";
pub(crate) const TIMES: &str = "Unchanged times to first byte, and routes";
pub(crate) const DETECTION: &str = "A worse candidate";
pub(crate) const SLOWER: &str = "A slower candidate";

/// A share as text, such as `0.5 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e5).round() / 1e3)
}

/// The length of a bake as text. `bake` is in seconds.
fn length(bake: i32) -> String {
    if bake % 3600 == 0 { format!("{} h", bake / 3600) } else { format!("{} min", bake / 60) }
}

/// Whether a baseline of ten minutes holds fewer than 200 requests at this rate (requests a second).
fn is_few(rps: f64) -> bool {
    rps * 600.0 < 200.0
}

/// The bar of a row in which nothing changes.
fn unchanged(rps: f64) -> Bar {
    Bar::False(if is_few(rps) { 0.01 } else { 0.001 })
}

/// All cells, with this many runs each.
pub(crate) fn all(set: &Parameters, runs: u64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for thin in [None, Some(set.thin)] {
        for &rate in set.rates {
            for bake in set.bakes {
                for &rps in set.rps {
                    let (group, bar) = if thin.is_some() {
                        (THIN_GROUP, Bar::False(0.01))
                    } else {
                        (INDEPENDENT, unchanged(rps))
                    };
                    let traffic = Traffic { rps, before: rate, after: rate, shape: Shape::Steady, bake };
                    let row = format!("{}, {}", percent(rate), length(bake));
                    cells.push(errors(group, row, traffic, thin, bar, runs));
                }
            }
        }
    }
    for odd in set.odd {
        for &rate in odd.rates {
            for bake in set.bakes {
                for &rps in set.rps {
                    let row = format!("{}, {}, {}", odd.name, percent(rate), length(bake));
                    let traffic = Traffic { rps, before: rate, after: rate, shape: odd.shape, bake };
                    cells.push(errors(ODD, row, traffic, None, Bar::False(odd.bar), runs));
                }
            }
        }
    }
    times(&mut cells, set, runs);
    for &after in set.worse {
        for &rps in set.rps {
            let row = format!("{} after {}", percent(after), percent(set.before));
            let traffic = Traffic { rps, before: set.before, after, shape: Shape::Steady, bake: 3600 };
            cells.push(errors(DETECTION, row, traffic, None, Bar::Median, runs));
        }
    }
    slower(&mut cells, set, runs);
    cells
}

fn errors(
    group: &'static str,
    row: String,
    traffic: Traffic,
    thin: Option<u32>,
    bar: Bar,
    runs: u64,
) -> Cell {
    let column = format!("{} rps", traffic.rps);
    Cell { group, row, column, kind: Kind::Errors(bake::Setup { traffic, thin, rivals: true }), bar, runs }
}

fn latency(group: &'static str, row: String, setup: latency::Setup, bar: Bar, runs: u64) -> Cell {
    Cell { group, row, column: format!("{} rps", setup.rps), kind: Kind::Latency(setup), bar, runs }
}

fn routes(group: &'static str, row: String, setup: routes::Setup, bar: Bar, runs: u64) -> Cell {
    Cell { group, row, column: format!("{} rps", setup.rps), kind: Kind::Routes(setup), bar, runs }
}

fn times(cells: &mut Vec<Cell>, set: &Parameters, runs: u64) {
    for &rps in set.rps {
        let as_before = Change::Factor(1.0);
        for &(name, times) in set.times {
            let setup = latency::Setup { rps, times, change: as_before, bake: set.times_bake };
            cells.push(latency(TIMES, format!("{name}, as before"), setup, unchanged(rps), runs));
            let setup = latency::Setup { change: set.cold, ..setup };
            cells.push(latency(TIMES, format!("{name}, a slow cold start"), setup, Bar::False(0.01), runs));
        }
        if let Times::LongPolls { share, seconds } = set.polls {
            let setup = latency::Setup { rps, times: set.polls, change: as_before, bake: set.times_bake };
            let row = format!("{} are polls of {seconds} s", percent(share));
            cells.push(latency(TIMES, row, setup, Bar::False(0.0), runs));
        }
    }
    let rps = set.rps[0];
    let setup = latency::Setup { rps, times: set.times[0].1, change: Change::OneHangs, bake: set.times_bake };
    cells.push(latency(TIMES, "one request hangs".to_owned(), setup, Bar::False(0.0), runs));
    for &rps in set.rps {
        for bake in set.bakes {
            let setup = routes::Setup { routes: set.routes, rps, bake, broken: None };
            let row = format!("{} routes, {}", set.routes.count, length(bake));
            cells.push(routes(TIMES, row, setup, unchanged(rps), runs));
        }
    }
}

fn slower(cells: &mut Vec<Cell>, set: &Parameters, runs: u64) {
    // A row without a bar only shows its median. A fifth of the runs is enough for that.
    let few = (runs / 5).max(1);
    for &rps in set.rps {
        for &(name, times) in set.times {
            for &factor in set.slower {
                let change = Change::Factor(factor);
                let setup = latency::Setup { rps, times, change, bake: set.times_bake };
                cells.push(latency(SLOWER, format!("{name} x{factor}"), setup, Bar::Shown, few));
            }
        }
        let change = Change::Hang(set.hang);
        let setup = latency::Setup { rps, times: set.times[0].1, change, bake: 120 };
        let row = format!("{} clients hang at once", set.hang);
        cells.push(latency(SLOWER, row, setup, Bar::Within(15), runs));
        let setup = routes::Setup { routes: set.routes, rps, bake: 3600, broken: Some(1.0) };
        let row = format!("a route of {} breaks", percent(set.routes.rare));
        cells.push(routes(SLOWER, row, setup, Bar::Shown, few));
    }
}

/// Twelve rows of several kinds, for `tests/all`.
pub(crate) fn quick(runs: u64) -> Vec<Cell> {
    let traffic = |rps, rate, shape| Traffic { rps, before: rate, after: rate, shape, bake: 300 };
    let none = |row: &str, traffic, thin, bar| {
        let mut cell = errors("Quick", row.to_owned(), traffic, thin, Bar::False(bar), runs);
        if let Kind::Errors(setup) = &mut cell.kind {
            setup.rivals = false;
        }
        cell
    };
    let worse = |rate, within| {
        let traffic = Traffic { after: rate, ..traffic(100.0, 0.001, Shape::Steady) };
        let mut cell = none("found", traffic, None, 0.0);
        cell.row = format!("{} found within {within} s", percent(rate));
        cell.bar = Bar::Within(within);
        cell
    };
    let slow = |row: &str, change, bar| {
        let setup = latency::Setup { rps: 10.0, times: Times::Exponential, change, bake: 120 };
        latency("Quick", row.to_owned(), setup, bar, runs)
    };
    vec![
        none("0.1 % as before", traffic(100.0, 0.001, Shape::Steady), None, 0.001),
        none("5 % as before", traffic(10.0, 0.05, Shape::Steady), None, 0.001),
        none("40 % as before", traffic(1000.0, 0.4, Shape::Steady), None, 0.001),
        none("2 % as before, a thin baseline", traffic(100.0, 0.02, Shape::Steady), Some(TUNED.thin), 0.01),
        none("errors five in five seconds", traffic(100.0, 0.01, Shape::SlowBursts { clump: 5 }), None, 0.01),
        none(
            "6 s of 10 % a minute",
            traffic(100.0, 0.0, Shape::Incidents { seconds: 6, share: 0.1 }),
            None,
            0.01,
        ),
        none(
            "a client of 30 % fails from the switch on",
            traffic(100.0, 0.001, Shape::Client { share: 0.3, before: false }),
            None,
            0.01,
        ),
        none("2 s outage in the bake", traffic(100.0, 0.01, Shape::Outage { eighths: 16 }), None, 0.02),
        worse(0.05, 20),
        worse(1.0, 3),
        slow("times as before", Change::Factor(1.0), Bar::False(0.001)),
        slow("50 clients hang at once", Change::Hang(50), Bar::Within(15)),
    ]
}
