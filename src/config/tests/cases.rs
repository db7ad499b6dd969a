//! Runs the cases `tests/config/*.toml`. Each is a configuration file. Its last lines, each behind `#= `,
//! are the expected output of `check`.
//!
//! `GREENLIGHT_BLESS=1` writes the present output into the files. A reviewer then reads the diff.

use std::path::Path;

use crate::config::{parse, render_faults, summary};

use super::repository;

const MARK: &str = "#= ";

#[test]
fn every_case_says_what_it_should() {
    let mut names: Vec<_> = std::fs::read_dir(repository("tests/config"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    names.sort();
    assert!(names.len() >= 25, "only {} cases", names.len());
    let mut wrong = Vec::new();
    for path in names {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(MARK)).collect();
        let file = Path::new(&name);
        let said = match parse(&text, Path::new("/etc/greenlight")) {
            Ok(loaded) => render_faults(file, &loaded.warnings) + &summary(file, &loaded),
            Err(faults) => render_faults(file, &faults.0),
        };
        let said: Vec<&str> = said.lines().collect();
        if said == expected {
            continue;
        }
        if std::env::var_os("GREENLIGHT_BLESS").is_some() {
            let input: Vec<&str> = text.lines().filter(|line| !line.starts_with(MARK)).collect();
            let marked: Vec<String> = said.iter().map(|line| format!("{MARK}{line}")).collect();
            std::fs::write(&path, format!("{}\n\n{}\n", input.join("\n").trim_end(), marked.join("\n")))
                .unwrap();
        }
        wrong.push(format!(
            "{name}:\n  expected\n    {}\n  said\n    {}",
            expected.join("\n    "),
            said.join("\n    ")
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_message_shows_a_secret() {
    for name in ["secrets", "unknown-keys", "syntax"] {
        let text = super::read(&format!("tests/config/{name}.toml"));
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with(MARK)).collect();
        let faults = super::faults(&text.join("\n"));
        assert!(text.iter().any(|line| line.contains("hunter2")), "{name} holds no secret: it shows nothing");
        assert!(!faults.is_empty());
        for fault in faults {
            let debug = format!("{fault:?} {fault}");
            assert!(!debug.contains("hunter2"), "{name}: {debug}");
        }
    }
}
