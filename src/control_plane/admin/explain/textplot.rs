//! Plots for a terminal. They use block characters, have no color, and are as wide as a page of text.

use std::fmt::{self, Write};

use super::course::Course;

const WIDTH: usize = 60;
const SCORE_ROWS: usize = 8;
const RATE_ROWS: usize = 4;
/// Eighths of a character's height.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const BOUND: char = '╌';

/// Writes the score of each rule against its bound, then the errors and the requests per second.
pub(crate) fn write(text: &mut String, course: &Course<'_>) -> fmt::Result {
    for rule in course.rules() {
        let bound = rule.h.iter().copied().fold(0.0, f32::max);
        let score: Vec<f64> = rule.s.iter().map(|score| f64::from(*score)).collect();
        writeln!(text, "  score of the {} rule (bars) against its bound h ({BOUND})", rule.rule)?;
        plot(
            text,
            course,
            &Bars { values: &score, gather: f64::max, rows: SCORE_ROWS, line: f64::from(bound) },
        )?;
    }
    let sum = |a: &[u32], b: &[u32]| -> Vec<f64> {
        course.rate(a).iter().zip(course.rate(b)).map(|(a, b)| a + b).collect()
    };
    let (new, old) = (&course.series.candidate, &course.series.old);
    for (name, values) in [
        ("errors a second, both colors", sum(&new.errors, &old.errors)),
        ("requests a second, both colors", sum(&new.requests, &old.requests)),
    ] {
        writeln!(text, "  {name}")?;
        plot(text, course, &Bars { values: &values, gather: f64::max, rows: RATE_ROWS, line: 0.0 })?;
    }
    Ok(())
}

struct Bars<'a> {
    values: &'a [f64],
    /// Combines several points that fall into one column.
    gather: fn(f64, f64) -> f64,
    rows: usize,
    /// The height of a horizontal line; 0 draws no line.
    line: f64,
}

fn plot(text: &mut String, course: &Course<'_>, bars: &Bars<'_>) -> fmt::Result {
    let (from, to) = (course.x[0], course.end());
    let column = |x: f64| column(x, from, to);
    let mut columns = [None; WIDTH];
    for (x, value) in course.x.iter().zip(bars.values) {
        let (first, last) = (column(*x), column(x + course.step() * 0.999));
        for slot in &mut columns[first..=last] {
            *slot = Some(slot.map_or(*value, |other| (bars.gather)(other, *value)));
        }
    }
    let top = bars.values.iter().copied().fold(bars.line, f64::max);
    let top = if top > 0.0 { top } else { 1.0 };
    let rows = bars.rows as f64;
    let line_row = (bars.line > 0.0).then(|| row_of(bars.line / top * rows, bars.rows));
    for row in (0..bars.rows).rev() {
        let label = if row + 1 == bars.rows { format!("{top:.1}") } else { String::new() };
        let label = if row == 0 { "0".to_owned() } else { label };
        let label = match line_row {
            Some(at) if at == row => format!("h {:.1}", bars.line),
            _ => label,
        };
        write!(text, "  {label:>8} ┤")?;
        let mut line = String::new();
        for value in columns {
            let height = value.map_or(0.0, |value| value / top * rows) - row as f64;
            line.push(match (eighths(height), line_row == Some(row)) {
                (0, true) => BOUND,
                (filled, _) => BLOCKS[filled],
            });
        }
        writeln!(text, "{}", line.trim_end())?;
    }
    axis(text, course, column)
}

/// The time axis, with a mark `┼` for each named moment and the seconds at both ends.
fn axis(text: &mut String, course: &Course<'_>, column: impl Fn(f64) -> usize) -> fmt::Result {
    let mut line = ['─'; WIDTH];
    let mut names = [' '; WIDTH + 24];
    let mut free = 0;
    for mark in &course.marks {
        let at = column(mark.x);
        line[at] = '┼';
        // A name without room is left out. The timeline has it.
        if at >= free && at + mark.name.len() <= names.len() {
            for (slot, char) in names[at..].iter_mut().zip(mark.name.chars()) {
                *slot = char;
            }
            free = at + mark.name.len() + 1;
        }
    }
    let line: String = line.iter().collect();
    writeln!(text, "  {:>8} └{line}", "")?;
    let names: String = names.iter().collect();
    if !names.trim().is_empty() {
        writeln!(text, "  {:>8}  {}", "", names.trim_end())?;
    }
    let (from, to) = (format!("{:.0} s", course.x[0]), format!("{:.0} s", course.end()));
    let gap = WIDTH.saturating_sub(from.len());
    writeln!(text, "  {:>8}  {from}{to:>gap$}", "")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the columns there are"
)]
fn column(x: f64, from: f64, to: f64) -> usize {
    let share = ((x - from) / (to - from).max(1e-9)).clamp(0.0, 1.0);
    ((share * WIDTH as f64) as usize).min(WIDTH - 1)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the rows there are")]
fn row_of(height: f64, rows: usize) -> usize {
    (height.max(0.0) as usize).min(rows - 1)
}

/// How many eighths of a row are filled. A value above 0 is always seen.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 8")]
fn eighths(height: f64) -> usize {
    let filled = (height * 8.0).clamp(0.0, 8.0);
    if filled > 0.0 { (filled.round() as usize).max(1) } else { 0 }
}
