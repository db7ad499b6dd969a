//! Structured logs on standard error. A reload changes their level and format while the program runs.

mod filter;
mod outlet;

use std::io::{self, IsTerminal as _};

use prometheus::{IntCounter, Registry as Metrics};
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat};

use filter::filter;
use outlet::Outlet;

type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;
type Lines = Box<dyn Layer<Filtered> + Send + Sync>;

/// Changes the logs of a running program. The level and the format have a handle each, because a filter
/// inside a layer can't be replaced together with that layer.
#[derive(Clone)]
pub(super) struct LogHandle {
    level: reload::Handle<EnvFilter, Registry>,
    format: reload::Handle<Lines, Filtered>,
    outlet: Outlet,
}

/// Starts logging. A second start in one process (in tests) changes nothing. Fails if the thread that
/// writes can't be started.
pub(super) fn start(log: &Log) -> io::Result<LogHandle> {
    let help = "Log lines that standard error did not take";
    let dropped = IntCounter::new("greenlight_log_dropped_total", help).map_err(io::Error::other)?;
    let outlet = Outlet::start(io::stderr(), dropped)?;
    let (filter, level) = reload::Layer::new(filter(&log.level));
    let (lines, format) = reload::Layer::new(lines(log, &outlet));
    match tracing_subscriber::registry().with(filter).with(lines).try_init() {
        Ok(()) => std::panic::set_hook(Box::new(panicked)),
        Err(why) => eprintln!("greenlight: logging was started before: {why}"),
    }
    Ok(LogHandle { level, format, outlet })
}

/// Logs a panic. The standard hook would write to standard error itself, and so could block its thread.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let why = panic.payload_as_str().unwrap_or("no text");
    tracing::error!(thread = thread.name().unwrap_or("without a name"), place, why, "panicked");
}

fn lines(log: &Log, outlet: &Outlet) -> Lines {
    let out = outlet.clone();
    match log.format {
        LogFormat::Text => {
            fmt::layer().with_writer(out).with_ansi(io::stderr().is_terminal()).with_target(false).boxed()
        }
        LogFormat::Json => fmt::layer().json().with_writer(out).boxed(),
    }
}

impl LogHandle {
    /// Shows the number of dropped lines among the metrics.
    pub(super) fn register(&self, metrics: &Metrics) -> Result<(), prometheus::Error> {
        metrics.register(Box::new(self.outlet.dropped().clone()))
    }

    /// Applies a reloaded `[log]`.
    pub(super) fn set(&self, log: &Log) {
        let level = self.level.reload(filter(&log.level));
        if let Err(why) = level.and_then(|()| self.format.reload(lines(log, &self.outlet))) {
            tracing::warn!(%why, "level and format of the logs could not be changed");
        }
    }

    /// Writes the lines that are left, if standard error takes them.
    pub(super) fn close(&self) {
        self.outlet.close();
    }
}
