//! Any input gets an answer, a configuration or faults.

use std::path::Path;

use proptest::prelude::*;

use super::read;
use crate::config::{difference, parse};

/// The two full files with some of their lines cleared, cut, doubled or given another value.
fn mangled() -> impl Strategy<Value = String> {
    let text = read("tests/config/full/fixed.toml")
        + &read("tests/config/full/docker.toml").replace("[services.backend", "[services.docker");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let values = [
        "1",
        "-1",
        "\"\"",
        "\"é.*[::\"",
        "[]",
        "{}",
        "[[1]]",
        "nan",
        "0xFFFFFFFFFFFFFFFF",
        "true",
        "{ file = 1 }",
        "1979-05-27",
    ];
    let change = (0..lines.len(), 0..4u8, prop::sample::select(values.to_vec()));
    prop::collection::vec(change, 0..12).prop_map(move |changes| {
        let mut lines = lines.clone();
        for (at, how, value) in changes {
            match how {
                0 => lines[at].clear(),
                1 => {
                    let key = lines[at].split('=').next().unwrap_or("").to_owned();
                    lines[at] = format!("{key}= {value}");
                }
                2 => {
                    let half = lines[at].chars().take(lines[at].chars().count() / 2).collect();
                    lines[at] = half;
                }
                _ => {
                    let copy = lines[at].clone();
                    lines[at] = format!("{copy}\n{copy}");
                }
            }
        }
        lines.join("\n")
    })
}

/// Parses a text and checks the answer. The parser does not panic. Each fault has a message and a line of
/// the file, and no escape character is shown.
fn answer(text: &str) {
    match parse(text, Path::new("/etc/greenlight")) {
        Ok(loaded) => {
            assert_eq!(
                difference(&loaded.config, &loaded.config, &loaded.config),
                crate::config::Difference::default()
            );
        }
        Err(faults) => {
            assert!(!faults.0.is_empty());
            let lines = text.matches('\n').count() + 1;
            for fault in &faults.0 {
                assert!(!fault.message.is_empty());
                assert!(fault.line.is_none_or(|line| (1..=lines).contains(&line)), "{fault:?}");
            }
            let shown = faults.to_string();
            assert!(!shown.contains('\u{1b}'), "{shown:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(text in "(?s).{0,200}") {
        answer(&text);
    }

    #[test]
    fn toml_like_text_has_an_answer(text in "([a-z]{1,3}|services|listeners|\\[|\\]|\\{|\\}|=|\"|'|\\.|,|\n| |#|-|[0-9]|\\\\|true){0,60}") {
        answer(&text);
    }

    #[test]
    fn a_mangled_file_has_an_answer(text in mangled()) {
        answer(&text);
    }

    #[test]
    fn any_bytes_on_disk_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("greenlight.toml");
        std::fs::write(&file, &bytes).unwrap();
        prop_assert!(crate::config::load(&file).is_err());
    }
}

/// Deep nesting ends in a fault, not in a stack overflow. Many unknown keys end in a list of limited
/// length.
#[test]
fn hostile_shapes() {
    answer(&format!("a = {}", "[".repeat(100_000)));
    answer(&format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)));
    answer(&format!("{} = 1", vec!["a"; 20_000].join(".")));
    let many: String = (0..50_000).fold(String::new(), |text, index| text + &format!("k{index} = 1\n"));
    let faults = parse(&many, Path::new("/")).unwrap_err();
    assert!(faults.0.len() < 300, "{}", faults.0.len());
}
