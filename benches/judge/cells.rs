//! Every row of the table.

use crate::bake;
use crate::latency::{self, Change, Times};
use crate::routes;
use crate::streams::{Shape, Traffic};

/// What is asked of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// Reverts are false, and at most this share.
    False(f64),
    /// Reverts are right. All of them, within so many seconds.
    Within(i32),
    /// Reverts are right: their median is compared with the rivals'.
    Median,
    /// Reverts are right; no more is asked.
    Shown,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Errors(bake::Setup),
    Latency(latency::Setup),
    Routes(routes::Setup),
}

#[derive(Clone, Debug)]
pub struct Cell {
    /// The table that it stands in.
    pub group: &'static str,
    /// Its row and its column.
    pub row: String,
    pub column: String,
    pub kind: Kind,
    pub bar: Bar,
    pub runs: u64,
}

pub const RPS: [f64; 5] = [0.2, 1.0, 10.0, 100.0, 1000.0];
const RATES: [f64; 8] = [0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.2, 0.4];
const BAKES: [i32; 2] = [300, 3600];
/// Requests of a thin baseline.
const THIN: u32 = 100;

pub const INDEPENDENT: &str = "Independent errors, the rate unchanged";
pub const THIN_GROUP: &str = "The same after a baseline of 100 requests";
pub const ODD: &str = "Unchanged, but not independent";
pub const TIMES: &str = "Unchanged times to first byte, and routes";
pub const DETECTION: &str = "A worse candidate, after 0.1 % of errors";
pub const SLOWER: &str = "A slower candidate";

pub fn percent(share: f64) -> String {
    format!("{} %", (share * 1e5).round() / 1e3)
}

fn length(bake: i32) -> &'static str {
    if bake == 300 { "5 min" } else { "1 h" }
}

pub fn all(runs: u64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for thin in [None, Some(THIN)] {
        for rate in RATES {
            for bake in BAKES {
                for rps in RPS {
                    let few = thin.is_some() || rps * 600.0 < 200.0;
                    cells.push(errors(
                        if thin.is_some() { THIN_GROUP } else { INDEPENDENT },
                        format!("{}, {}", percent(rate), length(bake)),
                        Traffic { rps, before: rate, after: rate, shape: Shape::Steady, bake },
                        thin,
                        Bar::False(if few { 0.01 } else { 0.001 }),
                        runs,
                    ));
                }
            }
        }
    }
    for (name, shape, rates, bar) in odd() {
        for &rate in rates {
            for bake in BAKES {
                for rps in RPS {
                    cells.push(errors(
                        ODD,
                        format!("{name}, {}, {}", percent(rate), length(bake)),
                        Traffic { rps, before: rate, after: rate, shape, bake },
                        None,
                        Bar::False(bar),
                        // Bars of 1 % need fewer.
                        runs / 5,
                    ));
                }
            }
        }
    }
    times(&mut cells, runs);
    for rate in [0.015, 0.025, 0.05, 0.2, 1.0] {
        for rps in RPS {
            cells.push(errors(
                DETECTION,
                percent(rate),
                Traffic { rps, before: 0.001, after: rate, shape: Shape::Steady, bake: 3600 },
                None,
                Bar::Median,
                runs / 5,
            ));
        }
    }
    slower(&mut cells, runs / 5);
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

fn odd() -> [(&'static str, Shape, &'static [f64], f64); 10] {
    [
        ("errors five at a time", Shape::Bursts, &[0.001, 0.01, 0.05], 0.01),
        ("errors five in five seconds", Shape::SlowBursts, &[0.001, 0.01, 0.05], 0.01),
        ("6 s of 10 % a minute", Shape::Incidents, &[0.0], 0.01),
        ("a client of 30 % fails, as before", Shape::Client { before: true }, &[0.001, 0.01], 0.01),
        ("a client of 30 % fails from the switch on", Shape::Client { before: false }, &[0.001, 0.01], 0.01),
        ("traffic grows threefold", Shape::Rise, &[0.001, 0.01, 0.05], 0.01),
        ("2 s outage in the baseline", Shape::OutageBefore, &[0.001, 0.01], 0.01),
        ("2 s outage in the bake", Shape::Outage, &[0.001, 0.01, 0.05], 0.02),
        ("2 s outage in the bake", Shape::Outage, &[0.2], 0.02),
        ("2 s outage in its first 10 s", Shape::EarlyOutage, &[0.001, 0.01], 0.02),
    ]
}

const DISTRIBUTIONS: [(&str, Times); 4] = [
    ("exponential", Times::Exponential),
    ("lognormal 0.3", Times::Lognormal(0.3)),
    ("lognormal 0.5", Times::Lognormal(0.5)),
    ("lognormal 1", Times::Lognormal(1.0)),
];

fn latency(group: &'static str, row: String, setup: latency::Setup, bar: Bar, runs: u64) -> Cell {
    Cell { group, row, column: format!("{} rps", setup.rps), kind: Kind::Latency(setup), bar, runs }
}

fn times(cells: &mut Vec<Cell>, runs: u64) {
    for rps in RPS {
        let bar = Bar::False(if rps * 600.0 < 200.0 { 0.01 } else { 0.001 });
        for (name, times) in DISTRIBUTIONS {
            let setup = latency::Setup { rps, times, change: Change::Factor(1.0), bake: 300 };
            cells.push(latency(TIMES, format!("{name}, as before"), setup, bar, runs));
            let setup = latency::Setup { change: Change::ColdStart, ..setup };
            cells.push(latency(
                TIMES,
                format!("{name}, a slow cold start"),
                setup,
                Bar::False(0.01),
                runs / 5,
            ));
        }
        let setup = latency::Setup { rps, times: Times::LongPolls, change: Change::Factor(1.0), bake: 300 };
        cells.push(latency(TIMES, "4 % are polls of 29 s".to_owned(), setup, bar, runs));
    }
    let setup = latency::Setup { rps: 0.2, times: Times::Exponential, change: Change::OneHangs, bake: 300 };
    cells.push(latency(TIMES, "one request hangs".to_owned(), setup, Bar::False(0.0), runs));
    for rps in RPS {
        for bake in BAKES {
            let setup = routes::Setup { rps, bake, broken: None };
            cells.push(Cell {
                group: TIMES,
                row: format!("20 routes, {}", length(bake)),
                column: format!("{rps} rps"),
                kind: Kind::Routes(setup),
                bar: Bar::False(if rps * 600.0 < 200.0 { 0.01 } else { 0.001 }),
                runs: if bake == 300 { runs } else { runs / 5 },
            });
        }
    }
}

fn slower(cells: &mut Vec<Cell>, runs: u64) {
    for rps in RPS {
        for (name, times) in DISTRIBUTIONS {
            for factor in [2.0, 3.0, 5.0] {
                let setup = latency::Setup { rps, times, change: Change::Factor(factor), bake: 300 };
                cells.push(latency(SLOWER, format!("{name} x{factor}"), setup, Bar::Shown, runs));
            }
        }
        let setup = latency::Setup { rps, times: Times::Exponential, change: Change::Hang(50), bake: 120 };
        cells.push(latency(SLOWER, "50 clients hang at once".to_owned(), setup, Bar::Within(15), runs));
        let setup = routes::Setup { rps, bake: 3600, broken: Some(1.0) };
        cells.push(Cell {
            group: SLOWER,
            row: "a route of 1 % breaks".to_owned(),
            column: format!("{rps} rps"),
            kind: Kind::Routes(setup),
            bar: Bar::Shown,
            runs: runs / 2,
        });
    }
}

/// Twelve rows of every kind, for CI.
pub fn quick(runs: u64) -> Vec<Cell> {
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
        none("2 % as before, a thin baseline", traffic(100.0, 0.02, Shape::Steady), Some(THIN), 0.01),
        none("errors five in five seconds", traffic(100.0, 0.01, Shape::SlowBursts), None, 0.01),
        none("6 s of 10 % a minute", traffic(100.0, 0.0, Shape::Incidents), None, 0.01),
        none(
            "a client of 30 % fails from the switch on",
            traffic(100.0, 0.001, Shape::Client { before: false }),
            None,
            0.01,
        ),
        none("2 s outage in the bake", traffic(100.0, 0.01, Shape::Outage), None, 0.02),
        worse(0.05, 20),
        worse(1.0, 3),
        slow("times as before", Change::Factor(1.0), Bar::False(0.001)),
        slow("50 clients hang at once", Change::Hang(50), Bar::Within(15)),
    ]
}
