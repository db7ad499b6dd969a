//! Structured logs on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use crate::config::{Log, LogFormat};

/// Changes the level of a running program.
pub(super) type LevelHandle = reload::Handle<EnvFilter, Registry>;

/// Starts logging. A second start in one process (tests) changes nothing.
pub(super) fn start(log: &Log) -> LevelHandle {
    let (filter, handle) = reload::Layer::new(filter(&log.level));
    let registry = tracing_subscriber::registry().with(filter);
    let out = std::io::stderr;
    let started = match log.format {
        LogFormat::Text => registry.with(fmt::layer().with_writer(out).with_ansi(out().is_terminal()).with_target(false).boxed()).try_init(),
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(out).boxed()).try_init(),
    };
    if let Err(why) = started {
        eprintln!("greenlight: logging was started before: {why}");
    }
    handle
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Applies a reloaded `log.level`.
pub(super) fn set_level(handle: &LevelHandle, level: &str) {
    if let Err(why) = handle.modify(|current| *current = filter(level)) {
        tracing::warn!(%why, "the log level could not be changed");
    }
}
