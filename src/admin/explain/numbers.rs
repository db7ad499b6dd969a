//! The judge's numbers in words: known ones first and in order, then whatever else there is.

use serde_json::{Map, Value};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) meaning: String,
    pub(super) value: String,
}

/// How a number is written.
#[derive(Clone, Copy)]
enum As {
    Count,
    Share,
    Decimal,
    Plain,
}

const KNOWN: [(&str, &str, &str, As); 10] = [
    ("n", "n", "requests to the new colour since the switch", As::Count),
    ("e", "e", "errors among them", As::Count),
    ("p0", "p0", "error rate of the old colour, at its worst", As::Share),
    ("p1", "p1", "error rate that would be bad", As::Share),
    ("s", "S", "score: evidence that it is bad", As::Decimal),
    ("h", "h", "bound: it trips when S gets here", As::Decimal),
    ("dispersion", "dispersion", "how bursty the old colour's errors were", As::Decimal),
    ("baseline_requests", "baseline n", "requests to the old colour before the switch", As::Count),
    ("baseline_errors", "baseline e", "errors among them", As::Count),
    ("rule_on", "rule on", "whether the rule can tell good from bad here", As::Plain),
];

/// The table.
pub(super) fn table(numbers: &Map<String, Value>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (key, name, meaning, kind) in KNOWN {
        if let Some(value) = numbers.get(key) {
            lines.push(Line {
                name: name.to_owned(),
                meaning: meaning.to_owned(),
                value: written(key, value, kind, numbers),
            });
        }
    }
    // serde_json's map is in the order of its keys.
    for (key, value) in numbers.iter().filter(|(key, _)| KNOWN.iter().all(|known| known.0 != *key)) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.push(Line { name: key.clone(), meaning: String::new(), value });
    }
    lines
}

fn written(key: &str, value: &Value, kind: As, numbers: &Map<String, Value>) -> String {
    let Some(number) = value.as_f64() else {
        return match value {
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
    };
    match kind {
        As::Share => percent(number),
        As::Decimal => format!("{number:.2}"),
        As::Plain => value.to_string(),
        As::Count => {
            let of = match key {
                "e" => "n",
                "baseline_errors" => "baseline_requests",
                _ => return grouped(value),
            };
            match numbers.get(of).and_then(Value::as_f64) {
                Some(all) if all > 0.0 => format!("{} ({})", grouped(value), percent(number / all)),
                _ => grouped(value),
            }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// `12345` as `12 345`.
fn grouped(value: &Value) -> String {
    let Some(count) = value.as_u64() else { return value.to_string() };
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
