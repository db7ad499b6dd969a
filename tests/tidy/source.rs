//! Source files as the rules see them: with comments and literals blanked out, and known as tests or not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// From the top of the repository, with `/`.
    pub path: String,
    pub text: String,
    /// The text with comments, strings and characters blanked out; lines stay where they are.
    pub code: String,
    pub is_test: bool,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let is_test = path.starts_with("tests/")
            || path.ends_with("/tests.rs")
            || path.split('/').any(|part| part == "tests");
        Self { path: path.to_owned(), text: text.to_owned(), code: blank(text), is_test }
    }

    /// The room of a file of the product: `release` for `core/src/release/step.rs`, `store` for
    /// `src/control_plane/store/rows.rs`, `clock` for `src/clock.rs`; none elsewhere.
    pub(crate) fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("core/src/").or_else(|| self.path.strip_prefix("src/"))?;
        let mut parts =
            inside.split('/').map(|part| part.trim_end_matches(".rs")).filter(|part| *part != "mod");
        let first = parts.next()?;
        // The verb around a pure room reads files; the room does not.
        if self.path.ends_with("/command.rs") {
            return Some(first);
        }
        Some(parts.next().filter(|second| is_room(first, second)).unwrap_or(first))
    }

    /// `path:line` for a place in the code.
    pub(crate) fn place(&self, offset: usize) -> String {
        let line = self.code[..offset].matches('\n').count() + 1;
        format!("{}:{line}", self.path)
    }

    /// Where this text stands in the code as whole words.
    pub(crate) fn finds(&self, needle: &str) -> Vec<usize> {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let starts_word = is_word(needle.chars().next());
        let ends_word = is_word(needle.chars().next_back());
        self.code
            .match_indices(needle)
            .filter(|(at, _)| {
                let before = self.code[..*at].chars().next_back();
                let after = self.code[at + needle.len()..].chars().next();
                !(starts_word && is_word(before) || ends_word && is_word(after))
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// The rooms that this file names by `crate::ROOM` or `crate::{ROOM, ...}`.
    pub(crate) fn imports(&self) -> BTreeSet<String> {
        let mut rooms = BTreeSet::new();
        for at in self.finds("crate::") {
            let rest = &self.code[at + "crate".len()..];
            for first in first_names(rest) {
                let inner = rest.strip_prefix("::").and_then(|rest| rest.strip_prefix(first.as_str()));
                let seconds = inner.map(first_names).unwrap_or_default();
                let (inside, outside): (Vec<_>, Vec<_>) =
                    seconds.into_iter().partition(|second| is_room(&first, second));
                if inside.is_empty() || !outside.is_empty() {
                    rooms.insert(first);
                }
                rooms.extend(inside);
            }
        }
        rooms.remove("");
        rooms
    }
}

/// Whether a folder inside of another is a room of its own.
fn is_room(outer: &str, inner: &str) -> bool {
    match outer {
        "control_plane" => true,
        "cli" => matches!(inner, "import" | "replay"),
        _ => false,
    }
}

fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// What follows a path: the one name of `::a::b`, or the first of each item of `::{a::{b, c}, d}`.
pub(crate) fn first_names(rest: &str) -> Vec<String> {
    let Some(rest) = rest.strip_prefix("::") else { return Vec::new() };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest).to_owned()] };
    let mut depth = 1_u32;
    let mut names = Vec::new();
    let mut is_start = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => is_start = true,
            c if depth == 1 && is_start && !c.is_whitespace() => {
                names.push(name(&group[at..]).to_owned());
                is_start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Every Rust file under these folders, in the order of their paths.
pub(crate) fn read(top: &Path, folders: &[&str]) -> Vec<Source> {
    let mut sources: Vec<Source> = folders
        .iter()
        .flat_map(|folder| files(&top.join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file is UTF-8");
            let relative = path.strip_prefix(top).expect("it is under the top").display().to_string();
            Source::new(&relative, &text)
        })
        .collect();
    mark_test_modules(&mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// Every file under a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `#[cfg(test)] mod NAME;` makes NAME's files tests, whatever they are called.
fn mark_test_modules(sources: &mut [Source]) {
    let mut test_paths = Vec::new();
    for source in sources.iter() {
        let folder = match source.path.strip_suffix("/mod.rs") {
            Some(folder) => folder.to_owned(),
            None => source.path.trim_end_matches(".rs").to_owned(),
        };
        for at in source.finds("#[cfg(test)]") {
            let rest = source.code[at + "#[cfg(test)]".len()..].trim_start();
            let rest = rest.strip_prefix("pub ").unwrap_or(rest);
            if let Some(rest) = rest.strip_prefix("mod ")
                && rest[name(rest).len()..].trim_start().starts_with(';')
            {
                test_paths.push(format!("{folder}/{}", name(rest)));
            }
        }
    }
    for source in sources {
        let stem = source.path.trim_end_matches(".rs");
        source.is_test |=
            test_paths.iter().any(|path| stem == path || source.path.starts_with(&format!("{path}/")));
    }
}

/// Blanks out comments, strings and characters; the length and the line ends stay.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => until(bytes, at, b"\n"),
            b'/' if bytes[at..].starts_with(b"/*") => block_comment(bytes, at),
            b'"' => string(bytes, at),
            b'r' if !follows_word(bytes, at) && raw_hashes(bytes, at).is_some() => raw_string(bytes, at),
            b'\'' => character(bytes, at),
            _ => at,
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("only whole characters are blanked out")
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    // `br"..."` is a string too.
    let before = at.checked_sub(1).map(|before| bytes[before]);
    before.is_some_and(|byte| (byte.is_ascii_alphanumeric() || byte == b'_') && byte != b'b')
}

fn until(bytes: &[u8], from: usize, end: &[u8]) -> usize {
    bytes[from..]
        .windows(end.len())
        .position(|window| window == end)
        .map_or(bytes.len(), |found| from + found)
}

fn block_comment(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0_u32;
    let mut at = from;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// How many `#` a raw string that begins here has.
fn raw_hashes(bytes: &[u8], from: usize) -> Option<usize> {
    let hashes = bytes[from + 1..].iter().take_while(|byte| **byte == b'#').count();
    (bytes.get(from + 1 + hashes) == Some(&b'"')).then_some(hashes)
}

fn raw_string(bytes: &[u8], from: usize) -> usize {
    let hashes = raw_hashes(bytes, from).unwrap_or_default();
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    (until(bytes, from + 2 + hashes, &end) + end.len()).min(bytes.len())
}

/// A character literal, or nothing where it is a lifetime.
fn character(bytes: &[u8], from: usize) -> usize {
    if bytes.get(from + 1) == Some(&b'\\') {
        return (until(bytes, from + 3, b"'") + 1).min(bytes.len());
    }
    let width = bytes.get(from + 1).map_or(1, |byte| byte.leading_ones().max(1) as usize);
    if bytes.get(from + 1 + width) == Some(&b'\'') { from + 2 + width } else { from }
}
