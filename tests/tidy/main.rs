//! The rules of the house that clippy can't see (ARCHITECTURE.md has the reasons). A rule is a
//! function from sources to findings, and each is shown to bite on a source that breaks it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod circles;
mod documents;
mod exports;
mod graph;
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use source::Source;

/// Everything below the shells of L3, which each of them may import.
const BELOW_L3: &[&str] = &[
    "model",
    "clock",
    "health",
    "judge",
    "release",
    "routing",
    "http1",
    "proxy_protocol",
    "config",
    "tasks",
    "tls",
    "traffic",
    "web",
];

/// Rooms that only decide.
const PURE: &[&str] =
    &["model", "health", "judge", "release", "replay", "routing", "http1", "proxy_protocol", "import"];

/// What a pure room has no business with. Addresses of `std::net` are data and allowed.
const IMPURE: &[&str] = &[
    "Instant",
    "SystemTime",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "tokio",
    "tracing",
    "fastrand",
    "rand",
    "async fn",
    "async move",
    "async {",
    ".await",
    "println!",
    "eprintln!",
    "thread_local!",
    "static mut",
];

/// Rooms whose output must not depend on how a map is hashed.
const ORDERED: &[&str] = &["model", "health", "judge", "release"];

const UNBOUNDED: &[&str] = &["unbounded_channel", "UnboundedSender", "unbounded", "std::sync::mpsc::channel"];

const VAGUE_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// Unused code is kept in tests alone: a harness is shared by more of them than one.
const DEAD_CODE: &str = "dead_code";

/// Lints that nobody may switch off.
const KEPT_LINTS: &[&str] = &[
    "too_many_lines",
    "cognitive_complexity",
    DEAD_CODE,
    "unsafe_code",
    "warnings",
    "unused",
    "clippy::all",
    "clippy::pedantic",
];

const LINES_MAX: usize = 500;
const TEST_LINES_MAX: usize = 700;

pub(crate) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn product() -> Vec<Source> {
    source::read(top(), &["core/src", "src"])
}

pub(crate) fn everything() -> Vec<Source> {
    source::read(top(), &["core", "src", "testkit", "tests", "benches"])
}

pub(crate) fn clean(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// A rule that finds nothing in a source that breaks it is no rule.
fn bites(rule: fn(&[Source]) -> Vec<String>, path: &str, text: &str) {
    assert_ne!(rule(&[Source::new(path, text)]), Vec::<String>::new(), "{path}: {text}");
}

/// Which rooms a room may name, itself aside; `None`: any.
fn may_import(room: &str) -> Option<Vec<&'static str>> {
    let shell = |more: &[&'static str]| Some([BELOW_L3, more].concat());
    match room {
        "model" => Some(vec![]),
        "health" | "judge" | "routing" | "http1" | "proxy_protocol" | "import" | "clock" | "tasks" => {
            Some(vec!["model"])
        }
        "release" => Some(vec!["model", "health", "judge"]),
        "replay" => Some(vec!["model", "judge"]),
        "config" => Some(vec!["model", "health", "judge", "release", "routing", "http1"]),
        "traffic" | "data_plane" | "probe" | "provider" | "store" | "tls" | "web" | "notify" | "webhooks" => {
            shell(&[])
        }
        "admin" => shell(&["controller", "store"]),
        "acme" => shell(&["store"]),
        "controller" => shell(&["data_plane", "probe", "provider", "store", "notify"]),
        "cli" | "app" | "lib" | "main" | "control_plane" => None,
        other => panic!("src/{other} is a new room: give it a layer here and in ARCHITECTURE.md"),
    }
}

fn layers(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test) {
        let Some(room) = source.room() else { continue };
        let Some(allowed) = may_import(room) else { continue };
        for import in source.imports() {
            if import != room && !allowed.contains(&import.as_str()) {
                findings.push(format!("{}: {room} may not import {import}", source.path));
            }
        }
    }
    findings
}

#[test]
fn imports_go_down_only() {
    clean(&layers(&product()));
    bites(layers, "core/src/judge/x.rs", "use crate::health::Check;");
    bites(layers, "src/data_plane/x.rs", "use crate::{model::Tick, control_plane::probe::{A, B}};");
    bites(layers, "src/control_plane/store/x.rs", "fn f() { crate::control_plane::admin::serve() }");
    assert_eq!(
        layers(&[Source::new("core/src/release/x.rs", "use crate::judge::Baseline; // crate::admin")]),
        [""; 0]
    );
}

/// What `write!` into bytes in memory needs, and no IO: all that could be written to is banned.
const IN_MEMORY: &[&str] = &["Write", "Cursor"];

fn impure(sources: &[Source]) -> Vec<String> {
    let mut findings = words(sources, |room| PURE.contains(&room), IMPURE, "a pure room has no");
    for source in sources
        .iter()
        .filter(|source| !source.is_test && source.room().is_some_and(|room| PURE.contains(&room)))
    {
        for at in source.finds("std::io") {
            let names = source::first_names(&source.code[at + "std::io".len()..]);
            if names.is_empty() || names.iter().any(|name| !IN_MEMORY.contains(&name.as_str())) {
                findings.push(format!("{}: a pure room has no std::io {names:?}", source.place(at)));
            }
        }
    }
    findings
}

#[test]
fn pure_rooms_only_decide() {
    clean(&impure(&product()));
    bites(impure, "core/src/release/x.rs", "use std::time::Instant;");
    bites(impure, "core/src/http1/x.rs", "async fn read() {}");
    bites(impure, "core/src/http1/x.rs", "use std::io::Write as _;\nuse std::io::stdout;");
    bites(impure, "core/src/routing/x.rs", "fn f() { tracing::info!(1) }");
    assert_eq!(
        impure(&[Source::new("core/src/release/x.rs", "/// tokio and std::fs\nconst A: &str = \"tokio\";")]),
        [""; 0]
    );
}

/// Findings for words that some rooms must not use outside their tests.
fn words(sources: &[Source], rooms: impl Fn(&str) -> bool, banned: &[&str], why: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test && source.room().is_some_and(&rooms)) {
        for word in banned {
            findings.extend(
                source.finds(word).into_iter().map(|at| format!("{}: {why} {word}", source.place(at))),
            );
        }
    }
    findings
}

fn hashed_order(sources: &[Source]) -> Vec<String> {
    words(
        sources,
        |room| ORDERED.contains(&room),
        &["HashMap", "HashSet"],
        "the order of its output matters:",
    )
}

#[test]
fn decisions_do_not_depend_on_hashing() {
    clean(&hashed_order(&product()));
    bites(hashed_order, "core/src/judge/x.rs", "use std::collections::HashMap;");
}

fn clocks(sources: &[Source]) -> Vec<String> {
    // tokio's own clock can be paused in tests, and is what its timers go by.
    let without_tokio: Vec<Source> = sources
        .iter()
        .cloned()
        .map(|mut source| {
            source.code = source.code.replace("tokio::time::Instant::now", "tokio_now");
            if takes_from(&source.code, "tokio::time::", "Instant") {
                source.code = source.code.replace("Instant::now", "tokio_now");
            }
            source
        })
        .collect();
    words(&without_tokio, |room| room != "clock", &["Instant::now", "SystemTime::now"], "only clock.rs reads")
}

/// Whether a file has `use MODULE::NAME;` or `use MODULE::{.., NAME, ..};`.
fn takes_from(code: &str, module: &str, name: &str) -> bool {
    code.split("use ").skip(1).filter_map(|item| item.strip_prefix(module)).any(|item| {
        let list = item.split(';').next().unwrap_or_default();
        list.split(['{', '}', ',']).any(|part| part.trim() == name)
    })
}

#[test]
fn one_file_reads_the_clock() {
    clean(&clocks(&product()));
    bites(clocks, "src/data_plane/x.rs", "let now = Instant::now();");
    bites(clocks, "src/cli/x.rs", "let now = std::time::SystemTime::now();");
    bites(
        clocks,
        "src/cli/x.rs",
        "use std::time::{Duration, Instant};\nuse tokio::time::sleep;\nfn f() { Instant::now() }",
    );
    assert_eq!(
        clocks(&[Source::new(
            "src/cli/x.rs",
            "use tokio::time::{Instant, sleep};\nfn f() { Instant::now() }"
        )]),
        [""; 0]
    );
}

fn unbounded(sources: &[Source]) -> Vec<String> {
    words(sources, |_| true, UNBOUNDED, "every queue has a bound, not")
}

#[test]
fn every_queue_has_a_bound() {
    clean(&unbounded(&product()));
    bites(unbounded, "src/control_plane/probe/x.rs", "let (a, b) = mpsc::unbounded_channel();");
}

fn panics(sources: &[Source]) -> Vec<String> {
    let banned = [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!("];
    words(sources, |_| true, &banned, "outside tests there is no")
}

#[test]
fn nothing_panics_on_purpose() {
    clean(&panics(&product()));
    bites(panics, "src/app.rs", "fn f() { x.unwrap() }");
    bites(panics, "src/control_plane/store/x.rs", "fn f() { todo!(\"later\") }");
    assert_eq!(panics(&[Source::new("src/store/tests.rs", "fn f() { x.unwrap() }")]), [""; 0]);
}

fn switched_off_lints(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        for attribute in ["allow(", "expect("] {
            for at in source.finds(attribute) {
                // An attribute, not a method: `#[allow(` or `#![allow(`.
                if !source.code[..at].trim_end().ends_with('[') {
                    continue;
                }
                let list = source.code[at..].split(')').next().unwrap_or_default();
                let lints = list.split(['(', ',', '\n']).map(str::trim);
                let is_kept = |lint: &str| {
                    KEPT_LINTS
                        .iter()
                        .any(|kept| lint.ends_with(kept) && !(source.is_test && *kept == DEAD_CODE))
                };
                for lint in lints.filter(|lint| is_kept(lint)) {
                    findings.push(format!("{}: {lint} stays on", source.place(at)));
                }
            }
        }
    }
    findings
}

#[test]
fn no_lint_that_keeps_the_shape_is_switched_off() {
    clean(&switched_off_lints(&everything()));
    bites(switched_off_lints, "src/a.rs", "#[allow(dead_code)]\nfn f() {}");
    bites(switched_off_lints, "src/a.rs", "#[expect(\n    clippy::too_many_lines,\n    reason = \"\"\n)]");
}

fn long_files(sources: &[Source]) -> Vec<String> {
    let max = |source: &Source| if source.is_test { TEST_LINES_MAX } else { LINES_MAX };
    sources
        .iter()
        .map(|source| (source, source.text.lines().count()))
        .filter(|(source, lines)| *lines > max(source))
        .map(|(source, lines)| format!("{}: {lines} lines, {} at most", source.path, max(source)))
        .collect()
}

#[test]
fn files_are_small() {
    clean(&long_files(&everything()));
    bites(long_files, "src/a.rs", &"\n".repeat(LINES_MAX + 1));
    bites(long_files, "tests/a.rs", &"\n".repeat(TEST_LINES_MAX + 1));
}

fn vague_names(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let in_path = source.path.trim_end_matches(".rs").split('/').map(str::to_owned);
        let modules = source.finds("mod ").into_iter().map(|at| {
            let rest = &source.code[at + 4..];
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        });
        for name in in_path.chain(modules).filter(|name| VAGUE_NAMES.contains(&name.as_str())) {
            findings.push(format!("{}: \"{name}\" says nothing; name it by its noun", source.path));
        }
    }
    findings
}

#[test]
fn names_are_nouns_of_the_field() {
    clean(&vague_names(&everything()));
    bites(vague_names, "src/data_plane/utils.rs", "");
    bites(vague_names, "src/app.rs", "mod helpers { }");
}

fn inline_tests(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.room().is_some()) {
        for at in source.finds("#[cfg(test)]") {
            let declaration = source.code[at..].lines().nth(1).unwrap_or_default();
            if declaration.contains("mod ") && declaration.contains('{') {
                findings.push(format!("{}: tests sit in a file of their own", source.place(at)));
            }
        }
    }
    findings
}

#[test]
fn tests_sit_beside_their_room() {
    clean(&inline_tests(&product()));
    bites(inline_tests, "src/a.rs", "#[cfg(test)]\nmod tests {\n}");
}

#[test]
fn sources_are_read_as_rust_is() {
    let text = "let a = \"tokio // \\\" x\"; // tokio\nlet b = r#\"tokio \" \"#; /* tokio /* a */ tokio */ let c: &'static str = d;\nlet e = '\"'; let f = '\\''; let g = \"tokio\";";
    let source = Source::new("src/a/b.rs", text);
    assert_eq!(source.finds("tokio"), Vec::<usize>::new(), "{}", source.code);
    assert!(source.code.contains("let c: &'static str = d;"), "{}", source.code);
    assert!(source.code.contains("let g ="), "{}", source.code);
    assert_eq!(source.text.lines().count(), source.code.lines().count());
    let imports = Source::new("src/a.rs", "use crate::{a::{b, c}, d, e::f};\nuse crate::g::h;").imports();
    assert_eq!(imports, BTreeSet::from(["a", "d", "e", "g"].map(str::to_owned)));
}
