//! Measures how often the judge is wrong and how soon it is right, beside the rules that people use today.
//! It makes every row of benches/judge/README.md. Seeds are fixed, so the same code gives the same table.

#![allow(clippy::cast_precision_loss)]

mod bake;
mod cells;
mod latency;
mod parameters;
mod parts;
mod random;
mod rivals;
mod routes;
mod streams;
mod table;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use cells::{Bar, Cell, Kind};
use parts::Parts;
use random::Random;
use rivals::{Known, MOST, RULES};

/// The number of runs of a cell in which the rivals run too.
const RIVALS_RUNS: u64 = 2000;

/// The results of all runs of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    pub runs: u64,
    pub trips: u64,
    /// Seconds to the trip: the median, the 90th percentile, and the last. A run without a trip counts as
    /// infinite.
    pub seconds: [f64; 3],
    /// The median of the failures that users saw until the trip.
    pub errors: f64,
    /// One figure for each rival. Where reverts are false, it is the highest number that no more runs pass
    /// than the bar allows. Where reverts are right, it is the median of the seconds.
    pub rivals: [f64; RULES.len()],
    /// The number of trips whose record names the broken route.
    pub named: u64,
}

/// The result of one run.
#[derive(Clone, Copy, Debug, Default)]
struct One {
    trip: Option<(i32, u64)>,
    named: bool,
    rivals: [f64; RULES.len()],
}

enum Source {
    Errors(Box<(bake::Setup, streams::Source)>),
    Latency(latency::Source),
    Routes(routes::Source),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let quick = has("--quick");
    let runs = value("--runs").unwrap_or(if quick { 200 } else { 10_000 });
    let held_out = has("--held-out");
    let set = if held_out { &parameters::HELD_OUT } else { &parameters::TUNED };
    let cells = if quick { cells::quick(runs) } else { cells::all(set, runs) };
    let file =
        arguments.iter().position(|argument| argument == "--parts").and_then(|at| arguments.get(at + 1));
    let mut parts = Parts::open(file.map(String::as_str));
    let rivals = value("--rivals").unwrap_or(RIVALS_RUNS);
    let threads = value("--threads").unwrap_or(2).max(1);
    let only =
        arguments.iter().position(|argument| argument == "--only").and_then(|at| arguments.get(at + 1));

    let mut found = vec![Findings::default(); cells.len()];
    // The rows of false reverts come first, because they give the limits of the rivals. The other rows use
    // these limits.
    for right in [false, true] {
        let limits = (right && !quick).then(|| table::limits(&cells, &found));
        for (cell, found) in cells.iter().zip(&mut found) {
            if matches!(cell.bar, Bar::False(_)) == right {
                continue;
            }
            if only
                .is_some_and(|only| !format!("{}: {}, {}", cell.group, cell.row, cell.column).contains(only))
            {
                continue;
            }
            let key =
                format!("{held_out}|{}|{}|{}|{}|{:?}", cell.group, cell.row, cell.column, cell.runs, limits);
            *found = parts.get(&key).unwrap_or_else(|| {
                let found = run(cell, limits.as_ref(), (threads, rivals), u64::from(held_out));
                parts.put(&key, &found);
                found
            });
            eprintln!("{}: {}, {}: {}", cell.group, cell.row, cell.column, table::short(cell, found));
        }
    }
    let text = if quick { table::quick(&cells, &found) } else { table::full(&cells, &found) };
    println!("{text}");
    if has("--rivals") {
        return ExitCode::SUCCESS;
    }
    let missed = table::missed(&cells, &found);
    for line in &missed {
        eprintln!("MISSED {line}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Makes all runs of a cell on several threads. Each run has its own seed, so it does not matter which
/// thread makes it.
fn run(
    cell: &Cell,
    limits: Option<&[f64; RULES.len()]>,
    (threads, rivals): (u64, u64),
    seeds: u64,
) -> Findings {
    let source = match cell.kind {
        Kind::Errors(setup) => Source::Errors(Box::new((setup, streams::Source::new(setup.traffic)))),
        Kind::Latency(setup) => Source::Latency(latency::Source::new(setup)),
        Kind::Routes(setup) => Source::Routes(routes::Source::new(setup)),
    };
    let seed = cell.row.bytes().chain(cell.column.bytes()).chain(cell.group.bytes());
    let seed = seed.fold(seeds, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let next = AtomicU64::new(0);
    let mut all: Vec<(u64, One)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            let mut known = Known::new();
            loop {
                let run = next.fetch_add(1, Ordering::Relaxed);
                if run >= cell.runs {
                    return done;
                }
                done.push((
                    run,
                    one(&source, limits, &mut Random::new(seed, run), (&mut known, run < rivals)),
                ));
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(run, _)| *run);
    let all: Vec<One> = all.into_iter().map(|(_, one)| one).collect();
    summary(cell, &all, rivals)
}

/// Makes one run of a cell. The rivals run beside the judge only if the flag in `known` is set.
fn one(
    source: &Source,
    limits: Option<&[f64; RULES.len()]>,
    random: &mut Random,
    known: (&mut Known, bool),
) -> One {
    match source {
        Source::Errors(errors) => {
            let (setup, source) = &**errors;
            let outcome = bake::bake(setup, source, limits, random, known);
            let rivals = if limits.is_some() {
                outcome.passed.map(|second| second.map_or(f64::INFINITY, f64::from))
            } else {
                outcome.worst
            };
            One { trip: outcome.trip, named: false, rivals }
        }
        Source::Latency(source) => One { trip: latency::bake(source, random), ..One::default() },
        Source::Routes(source) => {
            let trip = routes::bake(source, random);
            let named = trip.is_some_and(|(_, _, named)| named);
            One { trip: trip.map(|(seconds, errors, _)| (seconds, errors)), named, ..One::default() }
        }
    }
}

/// Computes the results of a cell from its runs. The rivals ran in the first `ran` of them.
fn summary(cell: &Cell, all: &[One], ran: u64) -> Findings {
    let quantile = |values: &mut Vec<f64>, share: f64| {
        values.sort_by(f64::total_cmp);
        let at = usize::try_from(random::whole(share * (values.len() as f64 - 1.0))).unwrap_or(0);
        values.get(at).copied().unwrap_or(f64::INFINITY)
    };
    let mut seconds: Vec<f64> =
        all.iter().map(|one| one.trip.map_or(f64::INFINITY, |(seconds, _)| f64::from(seconds))).collect();
    let mut errors: Vec<f64> =
        all.iter().filter_map(|one| one.trip.map(|(_, errors)| errors as f64)).collect();
    let share = if let Bar::False(bar) = cell.bar { 1.0 - bar.max(0.01) } else { 0.5 };
    let rivals = std::array::from_fn(|rule| {
        let mut values: Vec<f64> =
            all.iter().take(usize::try_from(ran).unwrap_or(0)).map(|one| one.rivals[rule]).collect();
        // At most `above` runs may lie over the limit.
        values.sort_by(f64::total_cmp);
        let above = if share > 0.5 {
            random::whole((1.0 - share) * values.len() as f64) as usize
        } else {
            values.len() / 2
        };
        values.get(values.len().saturating_sub(1 + above)).copied().unwrap_or(MOST[rule])
    });
    Findings {
        runs: cell.runs,
        trips: all.iter().filter(|one| one.trip.is_some()).count() as u64,
        seconds: [quantile(&mut seconds, 0.5), quantile(&mut seconds, 0.9), quantile(&mut seconds, 1.0)],
        errors: quantile(&mut errors, 0.5),
        rivals,
        named: all.iter().filter(|one| one.named).count() as u64,
    }
}
