//! Everything that the documents name exists. A wrong document is worse than no document.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::source::{self, Source};
use super::{clean, everything, product, top};

/// Folders at the top of the repository. A code span that begins with one of them is a path.
const FOLDERS: &[&str] =
    &[".ci", "benches", "config", "core", "deploy", "docs", "fuzz", "src", "testkit", "tests", "LICENSES"];

/// A word with at least this many parts (`a_b_c_d`) counts as the name of a test or a function.
const PARTS_OF_A_NAME: usize = 4;

/// Long names that are not greenlight's. They are settings of Linux. The `process_` metrics of the Prometheus
/// library are left out elsewhere.
const NAMES_OF_OTHERS: &[&str] = &["ip_unprivileged_port_start", "ip_local_port_range"];

/// A document, with its path from the top of the repository and its text.
struct Document {
    path: String,
    text: String,
}

impl Document {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The text with fenced blocks left out.
    fn prose(&self) -> String {
        let mut is_fenced = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            let is_fence = line.trim_start().starts_with("```");
            is_fenced ^= is_fence;
            if !is_fence && !is_fenced {
                prose.push_str(line);
            }
            prose.push('\n');
        }
        prose
    }

    /// The texts between backticks, outside fenced blocks.
    fn spans(&self) -> Vec<String> {
        self.prose().split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// The lines of fenced blocks.
    fn fenced(&self) -> Vec<&str> {
        let mut is_fenced = false;
        let mut lines = Vec::new();
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                is_fenced = !is_fenced;
            } else if is_fenced {
                lines.push(line.trim());
            }
        }
        lines
    }
}

/// All Markdown documents of the repository.
fn documents() -> Vec<Document> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE.md"]
            .iter()
            .map(|name| top().join(name))
            .collect();
    for folder in ["docs", "benches", "tests", "deploy", "testkit"] {
        paths.extend(source::files(&top().join(folder)));
    }
    paths.push(top().join("fuzz/README.md"));
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let relative = path.strip_prefix(top()).unwrap().display().to_string();
            Document::new(&relative, &fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The anchor of a heading, as Markdown viewers build it.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn has_anchor(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.starts_with('#') && anchor(line) == wanted)
}

/// Links to files or headings that do not exist.
fn dead_links(document: &Document) -> Vec<String> {
    let folder = top().join(&document.path).parent().unwrap().to_owned();
    let prose = document.prose();
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let mut findings = Vec::new();
    for link in links.filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
        let (path, wanted) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
        let target = if path.is_empty() { top().join(&document.path) } else { folder.join(path) };
        let is_dead = match wanted {
            _ if !target.exists() => true,
            Some(wanted) if path.is_empty() => !has_anchor(&document.text, wanted),
            Some(wanted) => !has_anchor(&fs::read_to_string(&target).unwrap_or_default(), wanted),
            None => false,
        };
        if is_dead {
            findings.push(format!("{}: {link} does not exist", document.path));
        }
    }
    findings
}

/// Whether a path exists. `*` stands for any name, and `{a,b}` means that both paths must exist.
fn exists(path: &str) -> bool {
    if let Some((before, rest)) = path.split_once('{')
        && let Some((choices, after)) = rest.split_once('}')
    {
        return choices.split(',').all(|choice| exists(&format!("{before}{}{after}", choice.trim())));
    }
    let Some((before, after)) = path.split_once('*') else { return top().join(path).exists() };
    let (folder, begin) = before.rsplit_once('/').unwrap_or((".", before));
    let end = after.split('/').next().unwrap_or_default();
    fs::read_dir(top().join(folder)).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| matches!(entry.file_name().to_str(), Some(name) if name.starts_with(begin) && name.ends_with(end)))
    })
}

/// Code spans that look like a path of the repository but do not exist.
fn dead_paths(document: &Document) -> Vec<String> {
    let is_path = |span: &&String| {
        let first = span.split('/').next().unwrap_or_default();
        span.contains('/')
            && FOLDERS.contains(&first)
            && span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-*{},".contains(c))
    };
    document
        .spans()
        .iter()
        .filter(is_path)
        .filter(|span| !exists(span.trim_end_matches('/')))
        .map(|span| format!("{}: {span} does not exist", document.path))
        .collect()
}

/// Every word of the sources, with their literals and comments, and of the scripts and configurations.
fn known_words() -> BTreeSet<String> {
    let mut texts: Vec<String> = everything().into_iter().map(|source| source.text).collect();
    for folder in ["config", "tests", "benches", "fuzz"] {
        for path in source::files(&top().join(folder)) {
            let is_text = path.extension().is_none_or(|extension| {
                ["toml", "py", "mjs", "vtc", "txt", "yml", "table"].iter().any(|known| extension == *known)
            });
            if is_text {
                texts.extend(fs::read_to_string(path));
            }
        }
    }
    let mut words = BTreeSet::new();
    for text in &texts {
        words.extend(text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned));
    }
    // A test may be named by its module, which is the name of its file.
    words.extend(
        everything()
            .iter()
            .filter_map(|source| Some(Path::new(&source.path).file_stem()?.to_str()?.to_owned())),
    );
    words
}

/// Names of tests, functions and metrics that do not occur in the sources.
fn dead_names(document: &Document, known: &BTreeSet<String>) -> Vec<String> {
    let is_name = |word: &&str| {
        !NAMES_OF_OTHERS.contains(word)
            && !word.starts_with("process_")
            && word.split('_').filter(|part| !part.is_empty()).count() >= PARTS_OF_A_NAME
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    document
        .spans()
        .iter()
        .flat_map(|span| span.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(is_name)
        .filter(|word| {
            !known.contains(*word)
                && !word.strip_prefix("greenlight_").is_some_and(|word| known.contains(word))
        })
        .map(|word| format!("{}: nothing is called {word}", document.path))
        .collect()
}

#[test]
fn everything_that_the_documents_name_exists() {
    let known = known_words();
    let findings: Vec<String> = documents()
        .iter()
        .flat_map(|document| {
            [dead_links(document), dead_paths(document), dead_names(document, &known)].concat()
        })
        .collect();
    clean(&findings);
}

#[test]
fn a_document_that_is_wrong_is_found() {
    let wrong =
        Document::new("docs/x.md", "[a](b.md) `src/nothing.rs` [c](#d)\n# Da\n`no_such_test_anywhere`");
    assert_eq!(dead_links(&wrong).len(), 2);
    assert_eq!(dead_paths(&wrong).len(), 1);
    assert_eq!(dead_names(&wrong, &BTreeSet::new()).len(), 1);
    let right = Document::new(
        "docs/http.md",
        "[a](../README.md) `src/lib.rs` `src/*.rs` [c](#d-e)\n## d e\n```\n`src/no/x`\n```",
    );
    assert_eq!([dead_links(&right), dead_paths(&right)].concat(), [""; 0]);
}

/// Names of Markdown documents in a text that do not exist.
fn dead_document_names(path: &str, text: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let mut findings = Vec::new();
    for (at, _) in text.match_indices(".md") {
        let is_end = !text[at + 3..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let begin = text[..at].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
        let name = text[begin..at + 3].trim_start_matches(['/', '.']);
        let beside = Path::new(path).parent().unwrap_or(Path::new("")).join(name);
        if is_end
            && at > begin
            && !text[..begin].ends_with("//")
            && ![Path::new(name), &beside, &Path::new("docs").join(name)]
                .iter()
                .any(|path| top().join(path).exists())
        {
            findings.push(format!("{path}: {name} does not exist"));
        }
    }
    findings
}

#[test]
fn every_document_that_is_named_exists() {
    let mut findings: Vec<String> = everything()
        .iter()
        .filter(|source| !source.path.starts_with("tests/tidy/"))
        .flat_map(|source| dead_document_names(&source.path, &source.text))
        .collect();
    for document in documents() {
        findings.extend(dead_document_names(&document.path, &document.text));
    }
    clean(&findings);
    assert_eq!(dead_document_names("src/x.rs", "see DESIGN.md").len(), 1);
    assert_eq!(dead_document_names("src/x.rs", "see README.md, and docs/http.md."), [""; 0]);
}

/// The calls of the controller that register a metric by a name without `greenlight_` and add that prefix.
const IN_NAMESPACE: &[&str] = &["gauge(", "counter(", "real(", "HistogramOpts::new("];

/// The names of all metrics that the product registers.
fn metrics_in_code(sources: &[Source]) -> BTreeSet<String> {
    let is_name = |text: &&str| text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let mut names = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.is_test) {
        let whole = source.text.split('"').filter(|text| text.starts_with("greenlight_")).filter(is_name);
        names.extend(whole.map(str::to_owned));
        if source.path.ends_with("controller/metrics.rs") {
            for maker in IN_NAMESPACE {
                let calls = source.text.split(maker).skip(1);
                let first = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
                names.extend(first.filter(is_name).map(|name| format!("greenlight_{name}")));
            }
        }
    }
    names
}

/// The first cells of the rows of a document's tables, if they begin with a backtick. Backticks and labels
/// are left out.
fn first_cells(document: &Document) -> BTreeSet<String> {
    document
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(|cell| cell.split('{').next().unwrap_or_default().to_owned())
        .collect()
}

fn document(path: &str) -> Document {
    Document::new(path, &fs::read_to_string(top().join(path)).unwrap())
}

#[test]
fn every_metric_and_alarm_is_in_the_operations_document() {
    let cells = first_cells(&document("docs/operations.md"));
    let metrics = metrics_in_code(&product());
    assert!(metrics.len() >= 15, "{metrics:?}");
    let missing: Vec<&String> = metrics.iter().filter(|name| !cells.contains(*name)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "metrics without a row");
    let unknown: Vec<&String> =
        cells.iter().filter(|cell| cell.starts_with("greenlight_") && !metrics.contains(*cell)).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "rows without a metric");
    let effects = fs::read_to_string(top().join("core/src/release/record/effect.rs")).unwrap();
    let names = effects.split("impl Alarm {").nth(1).unwrap().split("\n}").next().unwrap();
    let alarms: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
    assert!(alarms.len() >= 10, "{alarms:?}");
    let missing: Vec<&&str> = alarms.iter().filter(|alarm| !cells.contains(**alarm)).collect();
    assert_eq!(missing, Vec::<&&str>::new(), "alarms without a row");
}

/// The words after the program in each `greenlight VERB ...` and `cargo run --release -- VERB ...` of the
/// fenced blocks.
fn commands(document: &Document) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for line in document.fenced() {
        let line = line.trim_start_matches("$ ").split(" #").next().unwrap_or_default();
        let rest = line.strip_prefix("greenlight ").or_else(|| line.strip_prefix("cargo run --release -- "));
        if let Some(rest) = rest {
            commands.push(rest.split_whitespace().map(str::to_owned).collect());
        }
    }
    commands
}

#[test]
fn commands_in_the_documents_exist() {
    let sample = Document::new("x.md", "```\ngreenlight a --b # c\n```\ngreenlight no\n");
    assert_eq!(commands(&sample), [["a", "--b"]]);
    let binary = env!("CARGO_BIN_EXE_greenlight");
    let mut seen = 0;
    for document in documents() {
        for command in commands(&document).iter().filter(|command| !command[0].starts_with(['-', '['])) {
            seen += 1;
            let help = Command::new(binary).args([&command[0], "--help"]).output().unwrap();
            assert!(help.status.success(), "{}: there is no `greenlight {}`", document.path, command[0]);
            let help = String::from_utf8(help.stdout).unwrap();
            for flag in command.iter().filter(|word| word.starts_with("--")) {
                let flag = flag.split('=').next().unwrap();
                assert!(help.contains(flag), "{}: `greenlight {}` has no {flag}", document.path, command[0]);
            }
        }
    }
    assert!(seen >= 20, "the documents show {seen} commands");
}

#[test]
fn scripts_in_the_documents_exist() {
    for script in ["tests/all", "tests/nightly", ".ci/run", "benches/peers/run"] {
        assert!(top().join(script).is_file(), "{script}");
        let is_named =
            ["README.md", "CONTRIBUTING.md"].iter().any(|path| document(path).text.contains(script));
        assert!(is_named, "no document tells of {script}");
    }
}

#[test]
fn every_configuration_of_ours_loads() {
    let folder = top().join("config");
    let names: BTreeSet<String> = source::files(&folder)
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for needed in ["minimal.toml", "greenlight.toml", "demo.toml"] {
        assert!(names.contains(needed), "config/{needed} is missing: {names:?}");
    }
    for name in names.iter().filter(|name| Path::new(name).extension() == Some("toml".as_ref())) {
        if let Err(faults) = greenlight::config::load(&folder.join(name)) {
            let lines: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
            panic!("config/{name}:\n{}", lines.join("\n"));
        }
    }
}
