//! Reads env files, and replaces `${NAME}` in a compose file (Compose Specification, "Interpolation").

use std::collections::BTreeSet;

use serde_json::Value;

use super::Variables;

/// How many levels of `${A:-${B:-...}}` are replaced. A default on a deeper level becomes empty.
const DEPTH_MAX: usize = 8;

/// Replaces the variables in every text of the tree. Returns the names that have neither a value nor a
/// default.
pub(crate) fn fill(tree: &mut Value, variables: &Variables) -> BTreeSet<String> {
    let mut unset = BTreeSet::new();
    walk(tree, variables, &mut unset);
    unset
}

fn walk(value: &mut Value, variables: &Variables, unset: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains('$') => *text = filled(text, variables, unset, 0),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, variables, unset)),
        Value::Object(table) => table.values_mut().for_each(|item| walk(item, variables, unset)),
        _ => {}
    }
}

fn filled(text: &str, variables: &Variables, unset: &mut BTreeSet<String>, depth: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inner, after)) = rest.strip_prefix('{').and_then(braced) {
            out.push_str(&expression(inner, variables, unset, depth));
            rest = after;
        } else {
            let name = name_of(rest);
            if name.is_empty() {
                out.push('$');
            } else {
                out.push_str(&value(name, variables, unset));
                rest = &rest[name.len()..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The text inside the braces (which may hold other braces), and the text after them.
fn braced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1_usize;
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

fn value(name: &str, variables: &Variables, unset: &mut BTreeSet<String>) -> String {
    variables.get(name).cloned().unwrap_or_else(|| {
        unset.insert(name.to_owned());
        String::new()
    })
}

/// The value of `NAME`, `NAME:-default`, `NAME-default`, `NAME:+other`, `NAME+other`, `NAME:?why` or
/// `NAME?why`.
fn expression(inner: &str, variables: &Variables, unset: &mut BTreeSet<String>, depth: usize) -> String {
    let name = name_of(inner);
    let rest = &inner[name.len()..];
    let (also_empty, rest) = rest.strip_prefix(':').map_or((false, rest), |rest| (true, rest));
    let known = variables.get(name).filter(|value| !(also_empty && value.is_empty()));
    let mut operand = |text: &str| {
        if depth < DEPTH_MAX { filled(text, variables, unset, depth + 1) } else { String::new() }
    };
    match (rest.split_at_checked(1), known) {
        (Some(("-", default)), None) => operand(default),
        (Some(("+", other)), Some(_)) => operand(other),
        (Some(("+", _)), None) => String::new(),
        (_, Some(known)) => known.clone(),
        (_, None) => value(name, variables, unset),
    }
}

/// Reads the lines of an env file, such as `NAME=value`, `export NAME="value"` and `# comment`. Lines of
/// another form are left out.
#[must_use]
pub fn env_lines(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='))
        .map(|(name, value)| {
            let value = value.trim();
            let bare = ['"', '\'']
                .iter()
                .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
                .unwrap_or(value);
            (name.trim().to_owned(), bare.to_owned())
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}
