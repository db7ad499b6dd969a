//! What is public is used: by product code, not by tests alone.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::public_names;
use super::source::Source;
use super::{clean, product};

/// Public names that only the outside of `src` calls, each for its reason.
const CALLED_FROM_OUTSIDE: &[(&str, &str)] = &[];

/// Every word of a text with how often it stands there.
fn words(code: &str) -> BTreeMap<&str, usize> {
    let mut words = BTreeMap::new();
    for word in code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
        *words.entry(word).or_default() += 1;
    }
    words
}

/// The code without `use` declarations: a re-export is no use.
fn without_imports(code: &str) -> String {
    let mut rest = String::new();
    let mut is_import = false;
    for line in code.lines() {
        let text = line.trim_start();
        let text = text.strip_prefix("pub(crate) ").or_else(|| text.strip_prefix("pub ")).unwrap_or(text);
        is_import |= text.starts_with("use ");
        if !is_import {
            rest.push_str(line);
            rest.push('\n');
        }
        is_import &= !line.contains(';');
    }
    rest
}

fn unused(sources: &[Source]) -> Vec<String> {
    let product: Vec<&Source> = sources.iter().filter(|source| !source.is_test).collect();
    let codes: Vec<String> = product.iter().map(|source| without_imports(&source.code)).collect();
    let mut total: BTreeMap<&str, usize> = BTreeMap::new();
    for code in &codes {
        for (word, count) in words(code) {
            *total.entry(word).or_default() += count;
        }
    }
    // A name that is defined more than once is used if any of them is: the rule errs on that side.
    let mut defined: BTreeMap<String, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for source in &product {
        for name in public_names(&source.text) {
            let entry = defined.entry(name).or_default();
            entry.0 += 1;
            entry.1.insert(&source.path);
        }
    }
    defined
        .iter()
        .filter(|(name, (times, _))| total.get(name.as_str()).copied().unwrap_or_default() <= *times)
        .filter(|(name, _)| !CALLED_FROM_OUTSIDE.iter().any(|(allowed, _)| allowed == name))
        .map(|(name, (_, paths))| {
            let paths: Vec<&str> = paths.iter().copied().collect();
            format!("{}: nothing in the product uses `{name}`", paths.join(" "))
        })
        .collect()
}

#[test]
fn what_is_public_is_used() {
    clean(&unused(&product()));
}

#[test]
fn a_public_item_that_only_tests_use_is_found() {
    let dead = [
        Source::new("core/src/a/b.rs", "pub fn pick() {}\npub struct Kept;\nimpl Kept { pub fn make() {} }"),
        Source::new("core/src/a/mod.rs", "mod b;\npub use b::{\n    Kept,\n    pick,\n};"),
        Source::new("core/src/a/tests.rs", "use super::pick;\nfn f() { pick() }"),
        Source::new("src/x.rs", "// pick\nfn f(kept: Kept) { \"pick\" }"),
    ];
    let findings = unused(&dead);
    assert_eq!(findings.len(), 2, "{findings:?}");
}
