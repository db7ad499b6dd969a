//! docs/configuration.md has a row for each key that the reader asks for, and no other row.

use std::collections::BTreeSet;
use std::path::Path;

use toml::de::DeTable;

use super::read;
use crate::config::section::Section;
use crate::config::walk::Walk;

const FULL: [&str; 2] = ["tests/config/full/fixed.toml", "tests/config/full/docker.toml"];

/// Parts of a secret or of a free table: they are explained once, not in a row of each key.
const PARTS: [&str; 2] = ["file", "env"];

/// Tables whose keys are free: names of the environment, status codes, options of a log driver, and others.
const FREE: [&str; 7] = ["env", "error_pages", "options", "labels", "tmpfs", "ulimits", "sysctls"];

/// A path as the document writes it: without indices, with NAME for a service's name.
fn documented(path: &str) -> String {
    let mut parts: Vec<String> =
        path.split('.').map(|part| part.split('[').next().unwrap().to_owned()).collect();
    if parts[0] == "services" && parts.len() > 1 {
        "NAME".clone_into(&mut parts[1]);
    }
    parts.join(".")
}

/// Every key that the reader asks for in the two full files.
fn keys_of_the_reader() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for file in FULL {
        let text = read(file);
        let tree = DeTable::parse(&text).unwrap();
        let mut walk = Walk::new(&text, Path::new("/"));
        let mut root = Section::root(&mut walk, tree.get_ref());
        let _ = crate::config::read::config(&mut root);
        keys.extend(walk.asked_keys().map(documented));
    }
    keys
}

/// The headings of the document that name a table, and the rows beneath each: `(tables, rows)`.
fn keys_of_the_document() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = read("docs/configuration.md");
    let (mut tables, mut rows) = (BTreeSet::new(), BTreeSet::new());
    let mut table = None;
    for line in text.lines() {
        if line.starts_with('#') {
            table = line.split("`[").nth(1).and_then(|rest| rest.split("]`").next()).map(str::to_owned);
            tables.extend(table.clone());
        } else if let Some(table) = &table
            && let Some(key) = line.strip_prefix("| `").and_then(|rest| rest.split('`').next())
        {
            rows.insert(format!("{table}.{key}"));
        }
    }
    (tables, rows)
}

#[test]
fn every_key_has_a_row_and_every_row_is_a_key() {
    let keys = keys_of_the_reader();
    let (tables, rows) = keys_of_the_document();
    assert!(keys.len() > 150 && rows.len() > 150, "{} keys, {} rows", keys.len(), rows.len());
    let last = |path: &str| path.rsplit('.').next().unwrap().to_owned();
    let is_free = |path: &str| path.split('.').rev().skip(1).any(|part| FREE.contains(&part));
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !rows.contains(*key) && !tables.contains(*key) && *key != "services")
        .filter(|key| !PARTS.contains(&last(key).as_str()) && !is_free(key))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "keys without a row in docs/configuration.md");
    let unknown: Vec<&String> = rows.iter().filter(|row| !keys.contains(*row)).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "rows of docs/configuration.md that are no keys");
}
