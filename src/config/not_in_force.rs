//! Keys whose code is not there yet: THE one list. Whoever builds a feature deletes its lines.
//!
//! Every key of the contract is validated from the start, so that a file written today is right
//! tomorrow. A key that does nothing yet is warned of; where doing nothing would be dangerous
//! (plain text in place of TLS, an open door in place of a token) the file is refused.

use super::fault::Severity;
use super::walk::Walk;

/// A key that is not in force.
struct Row {
    /// A key path; `*` is any name, `[*]` any index.
    pattern: &'static str,
    /// Values (in their canonical spelling) at which the key does nothing anyway.
    quiet: &'static [&'static str],
    severity: Severity,
}

const fn warned(pattern: &'static str, quiet: &'static [&'static str]) -> Row {
    Row { pattern, quiet, severity: Severity::Warning }
}

const fn refused(pattern: &'static str, quiet: &'static [&'static str]) -> Row {
    Row { pattern, quiet, severity: Severity::Fault }
}

const ROWS: &[Row] = &[
    // HTTP/2 and the shield
    warned("services.*.proxy.shield", &["false"]),
    // Containers
    refused("services.*.upstream.kind", &["\"fixed\""]),
    // The judge's second half
    warned("services.*.analysis.latency", &["\"off\""]),
    warned("services.*.analysis.latency_warmup", &["\"10s\""]),
    warned("services.*.analysis.canary_percent", &["[]"]),
    warned("services.*.analysis.synthetic", &[]),
    // Messages
    warned("hooks", &[]),
    warned("webhooks", &["[]"]),
    warned("notifiers", &["[]"]),
    warned("services.*.hooks", &[]),
    // The rest of the front door
    refused("services.*.preview_token", &[]),
    warned("services.*.error_pages", &["{}"]),
    warned("limits.connections_per_address_max", &["0"]),
    warned("services.*.proxy.requests_max", &["0"]),
    warned("services.*.proxy.queue_max", &["0"]),
    warned("services.*.proxy.queue_timeout", &["\"5s\""]),
    warned("services.*.proxy.affinity", &["\"off\""]),
];

/// Warns of the keys of the file that are not in force, or refuses them.
pub(super) fn check(walk: &mut Walk<'_>) {
    let mut found = Vec::new();
    for path in walk.places.keys() {
        let Some(row) = ROWS.iter().find(|row| matches(row.pattern, path)) else { continue };
        let quiet = walk.effective.get(path).is_some_and(|value| row.quiet.contains(&value.as_str()));
        if !quiet && walk.sound(&[path]) {
            found.push((path.clone(), row.severity));
        }
    }
    for (path, severity) in found {
        match severity {
            Severity::Fault => walk.fault(
                &path,
                "is not supported by this version yet, and ignoring it would be dangerous: remove it",
            ),
            Severity::Warning => walk.warn(&path, "validated, not in force in this version"),
        }
    }
}

/// Whether a path is an instance of a pattern.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let mut pattern = pattern.split('.');
    let mut path = path.split('.');
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(found)) if segment_matches(expected, found) => {}
            _ => return false,
        }
    }
}

fn segment_matches(expected: &str, found: &str) -> bool {
    if expected == "*" {
        return true;
    }
    match (expected.strip_suffix("[*]"), found.split_once('[')) {
        (Some(expected), Some((found, _))) => expected == found,
        (None, None) => expected == found,
        _ => false,
    }
}
