//! SIGTERM and SIGINT end the program; SIGHUP reloads its configuration.

use std::io::{self, Read as _};
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::config::Config;
use crate::control_plane::controller::{Actor, Handle};

/// Completes when the standard input ends; never completes if `watched` is false. A parent process that
/// holds the other end of the input so ends its children with it, however the parent ends.
///
/// A plain thread reads the input, because tokio's own standard input delays the end of the runtime until a
/// read returns.
pub async fn input_end(watched: bool) {
    if !watched {
        return std::future::pending().await;
    }
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut scratch = [0_u8; 256];
        let mut input = io::stdin().lock();
        while matches!(input.read(&mut scratch), Ok(1..)) {}
        drop(ended);
    });
    let _ = end.await;
}

/// The signals that the program handles. They are caught from the moment this value is made, so that a
/// signal during the start is not lost.
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

    /// Reloads at each SIGHUP, and calls `apply` with each new configuration. Returns when a signal, the
    /// end of the input (if `with_input`) or the end of the controller stops the program.
    pub(super) async fn until_told_to_stop(
        mut self,
        handle: &Handle,
        mut reloaded: watch::Receiver<Arc<Config>>,
        apply: impl Fn(&Config),
        with_input: bool,
    ) {
        reloaded.mark_unchanged();
        let mut input = std::pin::pin!(input_end(with_input));
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break tracing::info!("SIGTERM: stopping"),
                _ = self.interrupt.recv() => break tracing::info!("SIGINT: stopping"),
                () = &mut input => break tracing::info!("the standard input has ended: stopping"),
                _ = self.hang_up.recv() => {
                    // The controller logs the keys that it applied and the faults that it found.
                    if let Err(why) = handle.reload(Actor("SIGHUP".to_owned())).await {
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
