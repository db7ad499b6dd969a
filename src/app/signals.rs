//! SIGTERM and SIGINT end the program, SIGHUP reloads its configuration.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::config::Config;
use crate::controller::Handle;

/// Caught from the moment it is made: a signal during the start is not lost.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Reloads at each SIGHUP; tells of each new configuration; returns when told to stop.
    pub(super) async fn until_told_to_stop(
        mut self,
        handle: &Handle,
        mut reloaded: watch::Receiver<Arc<Config>>,
        apply: impl Fn(&Config),
    ) {
        reloaded.mark_unchanged();
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break tracing::info!("SIGTERM: stopping"),
                _ = self.interrupt.recv() => break tracing::info!("SIGINT: stopping"),
                _ = self.hang_up.recv() => {
                    // What was applied and what was faulty is logged by the controller.
                    if let Err(why) = handle.reload().await {
                        tracing::error!(%why, "SIGHUP: not reloaded");
                    }
                }
                changed = reloaded.changed() => match changed {
                    Ok(()) => apply(&reloaded.borrow_and_update()),
                    Err(_) => break tracing::error!("the controller has ended: stopping"),
                },
            }
        }
    }
}
