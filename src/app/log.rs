//! Structured logs on standard error. A reload changes their level and format while the program runs.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat};

type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;
type Lines = Box<dyn Layer<Filtered> + Send + Sync>;

/// Changes the logs of a running program. The level and the format have a handle each, because a filter
/// inside a layer can't be replaced together with that layer.
pub(super) struct LogHandle {
    level: reload::Handle<EnvFilter, Registry>,
    format: reload::Handle<Lines, Filtered>,
}

/// Starts logging. A second start in one process (in tests) changes nothing.
pub(super) fn start(log: &Log) -> LogHandle {
    let (filter, level) = reload::Layer::new(filter(log));
    let (lines, format) = reload::Layer::new(lines(log));
    if let Err(why) = tracing_subscriber::registry().with(filter).with(lines).try_init() {
        eprintln!("greenlight: logging was started before: {why}");
    }
    LogHandle { level, format }
}

fn filter(log: &Log) -> EnvFilter {
    EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"))
}

fn lines(log: &Log) -> Lines {
    let out = std::io::stderr;
    match log.format {
        LogFormat::Text => {
            fmt::layer().with_writer(out).with_ansi(out().is_terminal()).with_target(false).boxed()
        }
        LogFormat::Json => fmt::layer().json().with_writer(out).boxed(),
    }
}

/// Applies a reloaded `[log]`.
pub(super) fn set(handle: &LogHandle, log: &Log) {
    let changed = handle.level.reload(filter(log)).and_then(|()| handle.format.reload(lines(log)));
    if let Err(why) = changed {
        tracing::warn!(%why, "level and format of the logs could not be changed");
    }
}
