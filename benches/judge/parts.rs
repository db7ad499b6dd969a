//! The cells that are done already, one line for each, so that a run can be stopped and started again.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;

use crate::Findings;
use crate::rivals::RULES;

/// The results of the finished cells, and the file to which new ones are appended.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    known: HashMap<String, Findings>,
    file: Option<File>,
}

impl Parts {
    /// Reads the cells that the file holds. Without a path no cell is kept.
    pub(crate) fn open(path: Option<&str>) -> Self {
        let Some(path) = path else { return Self::default() };
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let known = text.lines().filter_map(read).collect();
        Self { known, file: OpenOptions::new().create(true).append(true).open(path).ok() }
    }

    /// The result of a finished cell.
    pub(crate) fn get(&self, key: &str) -> Option<Findings> {
        self.known.get(key).cloned()
    }

    /// Appends the result of a cell to the file.
    pub(crate) fn put(&mut self, key: &str, found: &Findings) {
        let Findings { runs, trips, seconds, errors, rivals, named } = found;
        let numbers: Vec<String> = [*runs as f64, *trips as f64, *errors, *named as f64]
            .iter()
            .chain(seconds)
            .chain(rivals)
            .map(ToString::to_string)
            .collect();
        if let Some(file) = &mut self.file {
            // If the line can't be written, the next run only makes this cell again.
            let _ = writeln!(file, "{key}\t{}", numbers.join(" "));
        }
    }
}

/// Parses a line that [`Parts::put`] wrote.
fn read(line: &str) -> Option<(String, Findings)> {
    let (key, numbers) = line.split_once('\t')?;
    let numbers: Vec<f64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [runs, trips, errors, named, first, second, third, rivals @ ..] = numbers.as_slice() else {
        return None;
    };
    let rivals: [f64; RULES.len()] = rivals.try_into().ok()?;
    let count = |number: f64| u64::from(crate::random::whole(number));
    Some((
        key.to_owned(),
        Findings {
            runs: count(*runs),
            trips: count(*trips),
            seconds: [*first, *second, *third],
            errors: *errors,
            rivals,
            named: count(*named),
        },
    ))
}
