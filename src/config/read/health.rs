//! Reads `[services.NAME.health]`.

use std::time::Duration;

use crate::config::kind::{duration, integer, some, text, text_that};
use crate::config::name::{check_path, exact_host};
use crate::config::section::Section;
use crate::health::{Check, CheckKind, Speech, Thresholds};
use crate::release;

/// The shortest interval. With a shorter one, the probes would keep an endpoint busy.
const INTERVAL_LEAST: Duration = Duration::from_millis(50);
const INTERVAL_MOST: Duration = Duration::from_hours(1);

/// The settings in the section that the release needs, besides the check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub thresholds: Thresholds,
    pub min_healthy_time: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Http,
    Tcp,
}

/// Reads the check and the thresholds. If `host` is not set, the Host header is the service's first exact
/// host. If the service has no exact host, the text is empty, which stands for the endpoint's own address.
pub(super) fn health(section: &mut Section<'_, '_>, hosts: &[String]) -> (Check, Gate) {
    let default = release::Policy::default();
    let kind = section.word("kind", &[("http", Kind::Http), ("tcp", Kind::Tcp)], Kind::Http);
    let path = section.value("path", text_that("a path, such as \"/healthz\"", check_path), "/".to_owned());
    let expect_status = section.value("expect_status", some(integer(100..=599), "[200]"), vec![200]);
    let expect_body = section.optional("expect_body", text("a text that the body holds"));
    let host = section.optional("host", exact_host);
    if kind == Kind::Tcp {
        for key in ["path", "expect_status", "expect_body", "host"] {
            if section.has(key) {
                let key = section.key(key);
                section.walk.warn(&key, "has no effect with kind = \"tcp\"");
            }
        }
    }
    let port = section.optional("port", integer(1..=u16::MAX));
    let interval = section.value("interval", duration(INTERVAL_LEAST..=INTERVAL_MOST), default.interval);
    let timeout =
        section.value("timeout", duration(Duration::from_millis(1)..=INTERVAL_MOST), default.timeout);
    let thresholds = Thresholds {
        rise: section.value("rise", integer(1..=1000), default.thresholds.rise),
        fall: section.value("fall", integer(1..=1000), default.thresholds.fall),
    };
    let min_healthy_time = section.value("min_healthy_time", duration(..), default.min_healthy_time);
    let first = || hosts.iter().find(|host| !host.starts_with("*.")).cloned().unwrap_or_default();
    let kind = match kind {
        Kind::Tcp => CheckKind::Tcp,
        Kind::Http => CheckKind::Http { path, host: host.unwrap_or_else(first), expect_status, expect_body },
    };
    (
        Check { kind, speech: Speech::default(), port, interval, timeout, fall: thresholds.fall },
        Gate { thresholds, min_healthy_time },
    )
}
