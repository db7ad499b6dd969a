//! Tests of the configuration: cases as files, every key, files on disk, differences, and noise.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cases;
mod changes;
mod content;
mod contract;
mod disk;
mod every_key;
mod noise;
mod quantities;

use std::path::{Path, PathBuf};

use super::{Config, Fault, Loaded, parse};

/// A folder or file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    let path = repository(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn faults(text: &str) -> Vec<Fault> {
    match parse(text, Path::new("/etc/greenlight")) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0,
    }
}

fn loaded(text: &str) -> Loaded {
    parse(text, Path::new("/etc/greenlight")).unwrap_or_else(|faults| panic!("not valid:\n{faults}"))
}

fn config(text: &str) -> Config {
    loaded(text).config
}

/// The minimal file with `lines` appended. The lines extend its last table, and may then open further
/// tables.
fn with(lines: &str) -> String {
    format!("{}\n{lines}\n", read("config/minimal.toml"))
}
