//! Each key of the reference is read with its type, and a value of any other type is refused.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{faults, read};
use crate::config::section::Section;
use crate::config::walk::{Walk, join};

const FULL: [&str; 2] = ["tests/config/full/fixed.toml", "tests/config/full/docker.toml"];

/// All values that are not a table with a header, each with its path and its span.
fn values(text: &str) -> Vec<(String, Range<usize>)> {
    fn collect(path: &str, value: &Spanned<DeValue<'_>>, text: &str, into: &mut Vec<(String, Range<usize>)>) {
        // The span of `[table]` and `[[table]]` is that of their header.
        let header = match value.get_ref() {
            DeValue::Table(_) => text[value.span()].starts_with('[') || !text[value.span()].starts_with('{'),
            DeValue::Array(_) => text[value.span()].starts_with("[["),
            _ => false,
        };
        if !header {
            into.push((path.to_owned(), value.span()));
        }
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    collect(&join(path, key.get_ref()), value, text, into);
                }
            }
            DeValue::Array(rows) => {
                for (index, row) in rows.iter().enumerate() {
                    collect(&format!("{path}[{index}]"), row, text, into);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (key, value) in DeTable::parse(text).unwrap().get_ref() {
        collect(&join("", key.get_ref()), value, text, &mut found);
    }
    found
}

/// Both full files are valid, but for keys that this version does not support yet.
#[test]
fn the_full_files_are_valid() {
    for file in FULL {
        for fault in faults(&read(file)) {
            assert!(fault.message.contains("not supported by this version yet"), "{file}: {fault}");
        }
    }
}

/// Every word before a `=` in the reference, comments included.
fn keys_of_the_reference() -> BTreeSet<String> {
    let text = read("config/greenlight.toml");
    let mut keys = BTreeSet::new();
    for piece in text.split('=') {
        let word: String =
            piece.trim_end().chars().rev().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        keys.insert(word.chars().rev().collect::<String>());
    }
    // These words are no keys. They are examples of an environment, or words of a sentence ("0 = one per
    // core").
    let no_keys = |key: &str| {
        key.is_empty() || key == "KEY" || key.parse::<u64>().is_ok() && !["502", "503", "504"].contains(&key)
    };
    keys.retain(|key| !no_keys(key) && key != "empty");
    keys
}

#[test]
fn every_key_of_the_reference_is_in_a_full_file() {
    let mut written = BTreeSet::new();
    for file in FULL {
        for (path, _) in values(&read(file)) {
            let last = path.rsplit('.').next().unwrap();
            written.insert(last.split('[').next().unwrap().to_owned());
        }
    }
    let missing: Vec<_> = keys_of_the_reference().into_iter().filter(|key| !written.contains(key)).collect();
    assert!(missing.is_empty(), "in the reference, in no full file: {missing:?}");
}

/// The other direction: each key that is read stands in a full file, so that the tests below see it.
#[test]
fn every_key_that_is_read_is_in_a_full_file() {
    let mut asked = BTreeSet::new();
    let mut placed = BTreeSet::new();
    for file in FULL {
        let text = read(file);
        let tree = DeTable::parse(&text).unwrap();
        let mut walk = Walk::new(&text, Path::new("/"));
        let mut root = Section::root(&mut walk, tree.get_ref());
        let _ = crate::config::read::config(&mut root);
        asked.extend(walk.asked_keys().map(plain));
        placed.extend(walk.places.keys().map(|path| plain(path)));
    }
    // Keys that belong to one kind of webhook, notifier or hook stand in another row.
    let missing: Vec<_> = asked
        .difference(&placed)
        .filter(|path| !path.contains("hooks.p") && !path.contains("hooks.o"))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A path without its indices.
fn plain(path: &str) -> String {
    path.split('.').map(|segment| segment.split('[').next().unwrap()).collect::<Vec<_>>().join(".")
}

/// A date fits no key. In place of any value it is refused there, with the key, the line and the value.
#[test]
fn every_key_refuses_a_wrong_type() {
    const WRONG: &str = "1979-05-27";
    let mut count = 0;
    for file in FULL {
        let text = read(file);
        let before = faults(&text);
        for (path, span) in values(&text) {
            let mut changed = text.clone();
            changed.replace_range(span.clone(), WRONG);
            let line = text[..span.start].matches('\n').count() + 1;
            let faults = faults(&changed);
            let own: Vec<_> = faults.iter().filter(|fault| fault.key == path).collect();
            assert_eq!(own.len(), 1, "{path}: {faults:#?}");
            assert_eq!(own[0].line, Some(line), "{path}");
            let hidden = ["token", "secret", "username", "password", "url", "file", "env", "KEY"];
            let last = path.rsplit('.').next().unwrap();
            let environment = path.contains(".env.");
            match &own[0].value {
                Some(value) => assert_eq!(value, WRONG, "{path}"),
                None => {
                    assert!(
                        environment || hidden.iter().any(|key| last.contains(key)),
                        "{path} shows no value: {}",
                        own[0]
                    );
                }
            }
            let others = faults.iter().filter(|fault| fault.key != path && !before.contains(fault));
            assert_eq!(
                others.collect::<Vec<_>>(),
                Vec::<&crate::config::Fault>::new(),
                "{path} brings others"
            );
            count += 1;
        }
    }
    assert!(count > 150, "only {count} values were tried");
}

/// An unknown key is refused in every table, with its line.
#[test]
fn every_table_refuses_unknown_keys() {
    for file in FULL {
        let text = read(file);
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with('[')) {
            let mut changed = lines.clone();
            changed.insert(index + 1, "qqqqqqqqqq = 1");
            let faults = faults(&changed.join("\n"));
            let own: Vec<_> = faults.iter().filter(|fault| fault.key.ends_with(".qqqqqqqqqq")).collect();
            assert_eq!(own.len(), 1, "{line}: {faults:#?}");
            assert_eq!(own[0].line, Some(index + 2), "{line}");
        }
    }
}
