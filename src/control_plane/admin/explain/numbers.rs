//! The judge's numbers in words. The known ones come first and in order, then all others.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::judge::{FailedRequest, RouteNumbers};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) meaning: String,
    pub(crate) value: String,
}

/// How a number is written.
#[derive(Clone, Copy)]
enum As {
    Count,
    Share,
    Decimal,
    Millis,
    Plain,
}

const KNOWN: [(&str, &str, &str, As); 14] = [
    ("n", "n", "requests to the new color since the switch", As::Count),
    ("e", "e", "errors among them", As::Count),
    ("p0", "p0", "error rate of the old color, at its worst", As::Share),
    ("p1", "p1", "error rate that would be bad", As::Share),
    ("s", "S", "score: evidence that it is bad", As::Decimal),
    ("h", "h", "bound: it trips when S gets here", As::Decimal),
    ("dispersion", "dispersion", "how bursty the old color's errors were", As::Decimal),
    ("baseline_requests", "baseline n", "requests to the old color before the switch", As::Count),
    ("baseline_errors", "baseline e", "errors among them", As::Count),
    ("rule_on", "rule on", "whether the rule can tell good from bad here", As::Plain),
    ("rule", "tripped by", "the rule that was at its bound", As::Plain),
    ("upper", "e/n at most", "its error rate is surely under this; to pass, under p1", As::Share),
    ("many_clients", "many clients", "whether one client's part of S is limited to h/4", As::Plain),
    ("routes_judged", "routes", "route templates that have a rule of their own", As::Count),
];

/// The numbers of the latency rule.
const LATENCY: [(&str, &str, &str, As); 8] = [
    ("slow_after_ms", "tau", "no response head after this is slow", As::Millis),
    ("n", "n", "attempts judged since the warm-up", As::Count),
    ("bad", "slow", "slow ones among them", As::Count),
    ("p0", "p0", "share of slow attempts of the old color, at its worst", As::Share),
    ("p1", "p1", "share that would be bad", As::Share),
    ("s", "S", "score: evidence that it is too slow", As::Decimal),
    ("h", "h", "bound: it trips when S gets here", As::Decimal),
    ("rule_on", "rule on", "whether the rule can tell good from bad here", As::Plain),
];

/// Keys that have a table of their own.
const ELSEWHERE: [&str; 3] = ["latency", "routes", "first_failures"];

/// The lines of the table.
pub(crate) fn table(numbers: &Map<String, Value>) -> Vec<Line> {
    let mut lines = known(numbers, "", &KNOWN);
    if let Some(Value::Object(latency)) = numbers.get("latency") {
        lines.extend(known(latency, "latency ", &LATENCY));
    }
    // serde_json's map is sorted by its keys.
    let told = |key: &str| KNOWN.iter().any(|known| known.0 == key) || ELSEWHERE.contains(&key);
    for (key, value) in numbers.iter().filter(|(key, _)| !told(key)) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.push(Line { name: key.clone(), meaning: String::new(), value });
    }
    lines
}

fn known(numbers: &Map<String, Value>, prefix: &str, known: &[(&str, &str, &str, As)]) -> Vec<Line> {
    let line = |&(key, name, meaning, kind): &(&str, &str, &str, As)| {
        let value = written(key, numbers.get(key)?, kind, numbers);
        Some(Line { name: format!("{prefix}{name}"), meaning: meaning.to_owned(), value })
    };
    known.iter().filter_map(line).collect()
}

/// The routes that were nearest to their bounds. Empty if no route had errors.
pub(crate) fn routes(numbers: &Map<String, Value>) -> Vec<RouteNumbers> {
    list(numbers, "routes")
}

/// The first requests that failed, oldest first.
pub(crate) fn first_failures(numbers: &Map<String, Value>) -> Vec<FailedRequest> {
    // Each worker has kept failures of its own. Only here are they put together in the order of time (RFC
    // 3339, UTC).
    let mut failures: Vec<FailedRequest> = list(numbers, "first_failures");
    failures.sort_by(|a, b| a.time.cmp(&b.time));
    failures
}

/// The answer to a failed request, in words.
pub(crate) fn outcome(failed: &FailedRequest) -> String {
    let status = failed.status.map(|status| status.to_string());
    let parts = [status, failed.cause.clone(), failed.slow.then(|| "slow".to_owned())];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no answer".to_owned() } else { parts.join(", ") }
}

/// A list of the record. If an older greenlight wrote it in another form, it is left out.
fn list<T: DeserializeOwned>(numbers: &Map<String, Value>, key: &str) -> Vec<T> {
    let value = numbers.get(key).cloned().unwrap_or_default();
    serde_json::from_value(value).unwrap_or_default()
}

fn written(key: &str, value: &Value, kind: As, numbers: &Map<String, Value>) -> String {
    let Some(number) = value.as_f64() else {
        return match value {
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
    };
    match kind {
        As::Share => percent(number),
        As::Decimal => format!("{number:.2}"),
        As::Millis => format!("{number} ms"),
        As::Plain => value.to_string(),
        As::Count => {
            let of = match key {
                "e" | "bad" => "n",
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

pub(crate) fn percent(share: f64) -> String {
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
