//! One text file a story: its input lines are run, and what comes out is compared with the rest.

use std::fs;
use std::path::{Path, PathBuf};

use crate::script::run;

/// Where the stories and the table are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/release")
}

/// Compares with the file, or writes it when `UPDATE_GOLDEN` is set. The first difference is told.
pub(crate) fn compare(path: &Path, found: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return Ok(());
    }
    let line = expected.lines().zip(found.lines()).take_while(|(a, b)| a == b).count();
    Err(format!(
        "{}:{}: expected\n  {}\nfound\n  {}\n(UPDATE_GOLDEN=1 rewrites it)",
        path.display(),
        line + 1,
        expected.lines().nth(line).unwrap_or("(nothing more)"),
        found.lines().nth(line).unwrap_or("(nothing more)")
    ))
}

#[test]
fn every_story_goes_as_it_is_written() {
    let mut stories: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "txt"))
        .collect();
    stories.sort();
    assert!(stories.len() >= 12, "the stories that the issue names are missing: {}", stories.len());
    let mut faults = Vec::new();
    for story in &stories {
        let text = fs::read_to_string(story).unwrap();
        if let Err(fault) = compare(story, &run(&text)) {
            faults.push(fault);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
