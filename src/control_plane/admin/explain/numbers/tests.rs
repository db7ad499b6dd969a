#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn known_first_then_the_rest() {
    let numbers = serde_json::json!({
        "z_extra": "text", "e": 21, "n": 12345, "s": 9.3, "p0": 0.005, "rule_on": false,
        "baseline_errors": 0, "baseline_requests": 0
    });
    let lines: Vec<String> = table(numbers.as_object().unwrap())
        .into_iter()
        .map(|line| format!("{}={}", line.name, line.value))
        .collect();
    let expected = [
        "n=12 345",
        "e=21 (0.17 %)",
        "p0=0.50 %",
        "S=9.30",
        "baseline n=0",
        "baseline e=0",
        "rule on=no",
        "z_extra=text",
    ];
    assert_eq!(lines, expected);
}
