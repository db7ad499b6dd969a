//! `check` for a terminal: a line a fault, or one line that says what a good file sets up.

use std::fmt::Write as _;
use std::path::Path;

use super::fault::{Fault, Severity};
use super::{Loaded, Upstream};

/// `greenlight.toml:12: services.backend.health.interval = "1ms": is too short: ...`, a line each, faults and
/// warnings in the order of the file.
pub fn render_faults(file: &Path, faults: &[Fault]) -> String {
    let mut sorted: Vec<&Fault> = faults.iter().collect();
    sorted.sort_by_key(|fault| fault.line.unwrap_or(0));
    let mut text = String::new();
    for fault in sorted {
        let _ = write!(text, "{}", file.display());
        if let Some(line) = fault.line {
            let _ = write!(text, ":{line}");
        }
        text.push_str(": ");
        if fault.severity == Severity::Warning {
            text.push_str("warning: ");
        }
        if !fault.key.is_empty() {
            text.push_str(&fault.key);
            if let Some(value) = &fault.value {
                let _ = write!(text, " = {value}");
            }
            text.push_str(": ");
        }
        text.push_str(&fault.message);
        text.push('\n');
    }
    text
}

/// `greenlight.toml is good: 1 service, 2 hosts (backend: fixed, blue 2 endpoints, green 2), 1 listener, no warning`
pub fn summary(file: &Path, loaded: &Loaded) -> String {
    let config = &loaded.config;
    let hosts: usize = config.services.iter().map(|service| service.hosts.len()).sum();
    let mut text = format!(
        "{} is good: {}, {}, {}, {}",
        file.display(),
        count(config.services.len(), "service"),
        count(hosts, "host"),
        count(config.listeners.len(), "listener"),
        count(loaded.warnings.len(), "warning"),
    );
    // A file with many services would not fit on a line.
    if config.services.len() <= SERVICES_SHOWN_MAX {
        let services: Vec<String> = config
            .services
            .iter()
            .map(|service| match &service.upstream {
                Upstream::Fixed { addresses, initial } => format!(
                    "{}: blue {}, green {}, {initial} first",
                    service.name,
                    count(addresses.blue.len(), "address"),
                    count(addresses.green.len(), "address"),
                ),
                Upstream::Docker { replicas, initial, .. } => {
                    format!(
                        "{}: {} a color, {initial} first",
                        service.name,
                        count(*replicas as usize, "container")
                    )
                }
            })
            .collect();
        let _ = write!(text, " ({})", services.join("; "));
    }
    text
}

const SERVICES_SHOWN_MAX: usize = 4;

fn count(count: usize, noun: &str) -> String {
    let plural = if noun.ends_with('s') { "es" } else { "s" };
    match count {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}{plural}"),
    }
}
