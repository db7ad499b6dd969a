//! The output of `check` for a terminal. It has one line for each fault, or one line that says what a valid
//! file sets up.

use std::fmt::Write as _;
use std::path::Path;

use super::fault::{Fault, Severity};
use super::{Loaded, Upstream};

/// Writes one line for each fault and warning, in the order of the file. An example is `greenlight.toml:12:
/// services.backend.health.interval = "1ms": is too short: ...`.
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

/// Describes a valid file in one line. An example is `greenlight.toml is good: 1 service, 2 hosts, 1
/// listener, no warning (backend: blue 2 addresses, green 2 addresses, blue first)`.
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
    // Many services would not fit on a line.
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
