//! Reads YAML as a tree of values, and reads the different shapes in which compose files write the same
//! thing.

use serde_json::{Map, Value};

use super::ImportFault;

pub(crate) type Table = Map<String, Value>;

/// Parses YAML. Anchors, aliases and merge keys are resolved, and the parser limits the size of the
/// result.
pub(crate) fn read(text: &str) -> Result<Value, ImportFault> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map(|place| format!("line {}", place.line()));
        ImportFault::NotYaml(line.unwrap_or_else(|| "it can't be parsed".to_owned()))
    })
}

/// A scalar as text. `None` for lists and tables.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a key, if the key is there and its value is a scalar that is not empty.
pub(crate) fn text_of(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(text).filter(|text| !text.is_empty())
}

/// A list of scalars. A single scalar counts as a list of one.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        Value::Object(_) | Value::Null => Vec::new(),
        scalar => text(scalar).into_iter().collect(),
    }
}

/// The pairs of `NAME: value` or `- NAME=value`. A name without a value has `None`.
pub(crate) fn pairs(value: &Value) -> Vec<(String, Option<String>)> {
    match value {
        Value::Object(table) => table
            .iter()
            .map(|(name, value)| {
                let value = if value.is_null() { None } else { text(value) };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(text)
            .map(|item| match item.split_once('=') {
                Some((name, value)) => (name.trim().to_owned(), Some(value.to_owned())),
                None => (item.trim().to_owned(), None),
            })
            .collect(),
        _ => Vec::new(),
    }
}
