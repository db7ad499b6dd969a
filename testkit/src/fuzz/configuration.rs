//! A configuration of any text: every fault has words, and a text that is taken shows the same twice.

use std::path::Path;

use greenlight::config::{FILE_BYTES_MAX, difference, parse, render_faults};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() as u64 > FILE_BYTES_MAX {
        return;
    }
    match parse(text, Path::new("/etc/greenlight")) {
        Ok(loaded) => {
            let again = parse(text, Path::new("/etc/greenlight")).expect("taken once, taken twice");
            let changes = difference(&loaded.config, &loaded.config, &again.config);
            assert!(changes == greenlight::config::Difference::default(), "the same text differs");
            for warning in &loaded.warnings {
                assert!(!warning.message.is_empty());
            }
        }
        Err(faults) => {
            assert!(!faults.0.is_empty(), "refused for nothing");
            let lines = text.lines().count().max(1) + 1;
            for fault in &faults.0 {
                assert!(!fault.message.is_empty(), "a fault without words: {fault:?}");
                assert!(fault.line.is_none_or(|line| line >= 1 && line <= lines), "no such line: {fault:?}");
            }
            assert!(!render_faults(Path::new("greenlight.toml"), &faults.0).is_empty());
        }
    }
}
