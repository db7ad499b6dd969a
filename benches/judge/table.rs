//! The tables as text, and the list of missed bars.

use std::fmt::Write;

use crate::Findings;
use crate::cells::{Bar, Cell, DETECTION, INDEPENDENT, Kind, ODD, SLOWER, THIN_GROUP, TIMES};
use crate::rivals::{MOST, RULES};

/// The limit of each rival. It is the least limit at which no row of false reverts has more than 1 % of
/// them (2 % with an outage in the bake). It is infinite if only a limit that never trips would do.
pub(crate) fn limits(cells: &[Cell], found: &[Findings]) -> [f64; RULES.len()] {
    std::array::from_fn(|rule| {
        let rows = cells.iter().zip(found).filter(|(cell, found)| {
            matches!(cell.bar, Bar::False(_)) && matches!(cell.kind, Kind::Errors(_)) && found.runs > 0
        });
        let limit = rows.map(|(_, found)| found.rivals[rule]).fold(0.0, f64::max);
        if limit >= MOST[rule] { f64::INFINITY } else { limit }
    })
}

/// The row that decides the limit of a rival.
fn hardest<'a>(cells: &'a [Cell], found: &[Findings], rule: usize) -> Option<&'a Cell> {
    let rows = cells.iter().zip(found).filter(|(cell, found)| {
        matches!(cell.bar, Bar::False(_)) && matches!(cell.kind, Kind::Errors(_)) && found.runs > 0
    });
    rows.max_by(|a, b| a.1.rivals[rule].total_cmp(&b.1.rivals[rule])).map(|(cell, _)| cell)
}

/// The share of the runs that tripped.
fn share(found: &Findings) -> String {
    if found.trips == 0 {
        "0".to_owned()
    } else {
        format!("{:.2} %", 100.0 * found.trips as f64 / found.runs as f64)
    }
}

/// Seconds as text; `never` if infinite.
fn seconds(value: f64) -> String {
    if value.is_finite() { format!("{value:.0}") } else { "never".to_owned() }
}

/// The result of a cell in one line.
pub(crate) fn short(cell: &Cell, found: &Findings) -> String {
    match cell.bar {
        Bar::False(bar) => format!("{} of {} (at most {})", found.trips, found.runs, bar * found.runs as f64),
        Bar::Within(_) | Bar::Median | Bar::Shown => {
            let [median, most, last] = found.seconds.map(seconds);
            format!(
                "{} of {} after {median}, {most}, {last} s, {} failures",
                found.trips, found.runs, found.errors
            )
        }
    }
}

/// One line for each cell that misses its bar.
pub(crate) fn missed(cells: &[Cell], found: &[Findings]) -> Vec<String> {
    let mut missed = Vec::new();
    for (cell, found) in cells.iter().zip(found).filter(|(_, found)| found.runs > 0) {
        let bad = match cell.bar {
            Bar::False(bar) => found.trips as f64 > (bar * found.runs as f64).ceil(),
            Bar::Within(within) => found.trips < found.runs || found.seconds[2] > f64::from(within),
            Bar::Median => {
                let best = found.rivals.into_iter().fold(f64::INFINITY, f64::min);
                best.is_finite() && found.seconds[0] > best + 1.0
            }
            Bar::Shown => false,
        };
        if bad {
            missed.push(format!("{}: {}, {}: {}", cell.group, cell.row, cell.column, short(cell, found)));
        }
    }
    missed
}

/// The results of the quick run, one line for each cell.
pub(crate) fn quick(cells: &[Cell], found: &[Findings]) -> String {
    let lines = cells.iter().zip(found);
    lines.map(|(cell, found)| format!("{}: {}\n", cell.row, short(cell, found))).collect::<Vec<_>>().concat()
}

/// All tables as Markdown.
pub(crate) fn full(cells: &[Cell], found: &[Findings]) -> String {
    let mut text = String::new();
    // Writing to a String never fails.
    let _ = write_full(&mut text, cells, found);
    text
}

fn write_full(text: &mut String, cells: &[Cell], found: &[Findings]) -> std::fmt::Result {
    writeln!(text, "### False reverts\n")?;
    for group in [INDEPENDENT, THIN_GROUP, ODD, TIMES] {
        grid(text, cells, found, group, |_, found| share(found))?;
    }
    writeln!(text, "### Detection: median / nine of ten, in seconds (failures that users saw, median)\n")?;
    for group in [DETECTION, SLOWER] {
        grid(text, cells, found, group, |cell, found| {
            let [median, most, _] = found.seconds.map(seconds);
            let named = matches!(cell.kind, Kind::Routes(_)) && found.trips > 0;
            let named = if named {
                format!(", named in {} %", 100 * found.named / found.trips)
            } else {
                String::new()
            };
            if found.trips == 0 {
                "never".to_owned()
            } else {
                format!("{median} / {most} ({}{named})", found.errors)
            }
        })?;
    }
    rivals(text, cells, found)
}

/// Writes the table of one group. `shown` gives the text of a cell.
fn grid(
    text: &mut String,
    cells: &[Cell],
    found: &[Findings],
    group: &str,
    shown: impl Fn(&Cell, &Findings) -> String,
) -> std::fmt::Result {
    let mut columns: Vec<&str> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.group == group) {
        if !columns.contains(&cell.column.as_str()) {
            columns.push(&cell.column);
        }
    }
    writeln!(text, "**{group}**\n\n| | {} |\n|---|{}", columns.join(" | "), "---|".repeat(columns.len()))?;
    let mut rows: Vec<&str> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.group == group) {
        if !rows.contains(&cell.row.as_str()) {
            rows.push(&cell.row);
        }
    }
    for row in rows {
        write!(text, "| {row} |")?;
        for column in &columns {
            let at = cells.iter().zip(found).find(|(cell, found)| {
                cell.group == group && cell.row == row && cell.column == **column && found.runs > 0
            });
            write!(text, " {} |", at.map_or(String::new(), |(cell, found)| shown(cell, found)))?;
        }
        writeln!(text)?;
    }
    writeln!(text)
}

/// Writes the table of the rivals with their limits and medians.
fn rivals(text: &mut String, cells: &[Cell], found: &[Findings]) -> std::fmt::Result {
    writeln!(text, "### What people use today, on the same streams\n")?;
    writeln!(text, "| rule | tuned X | by | medians of {} |\n|---|---|---|---|", DETECTION.to_lowercase())?;
    let limits = limits(cells, found);
    for (rule, name) in RULES.iter().enumerate() {
        let limit = limits[rule];
        let shown = match limit {
            limit if limit.is_infinite() => "can't be tuned".to_owned(),
            limit if rule < 5 => format!("{:.1} %", 100.0 * limit),
            limit => format!("{limit:.1}"),
        };
        let by = hardest(cells, found, rule)
            .map_or(String::new(), |cell| format!("{}, {}", cell.row, cell.column));
        let medians: Vec<String> = cells
            .iter()
            .zip(found)
            .filter(|(cell, found)| {
                cell.group == DETECTION && found.rivals[rule].is_finite() && found.runs > 0
            })
            .map(|(cell, found)| {
                format!("{} at {}: {} s", cell.row, cell.column, seconds(found.rivals[rule]))
            })
            .collect();
        let medians = if medians.is_empty() { "never".to_owned() } else { medians.join("; ") };
        writeln!(text, "| {name} | {shown} | {by} | {medians} |")?;
    }
    writeln!(text)
}
