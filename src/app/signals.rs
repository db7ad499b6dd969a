//! SIGTERM and SIGINT end the program, SIGHUP reloads its configuration, and SIGUSR1 opens the access log
//! anew. Other signals that a person, a script or a timer may send by mistake have no effect.

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

/// Signals that have no effect, by their numbers on Linux. The default action of each of them would end the
/// process: STKFLT, XFSZ (a write beyond the file limit fails instead), VTALRM, PROF, IO and PWR. Realtime
/// signals follow from 34 on. SIGUSR2, SIGPIPE and SIGALRM are named where these are caught.
const WITHOUT_EFFECT: [std::ffi::c_int; 6] = [16, 25, 26, 27, 29, 30];
/// The realtime signals of Linux that glibc leaves to programs.
const REALTIME: std::ops::RangeInclusive<std::ffi::c_int> = 34..=64;
/// The exit code of a process that a second signal has ended before its orderly stop was over.
const CUT_SHORT: i32 = 1;

/// The signals that the program handles. They are caught from the moment this value is made, so that a
/// signal during the start is not lost.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    user1: Signal,
}

impl Signals {
    /// Must be called inside the runtime.
    ///
    /// # Errors
    /// The system does not let a handler be set.
    pub(super) fn listen() -> io::Result<Self> {
        for kind in [SignalKind::user_defined2(), SignalKind::pipe(), SignalKind::alarm()] {
            // A handler stays for the life of the process, and an empty one makes the signal harmless. It
            // is no SIG_IGN, because children would inherit that.
            drop(signal(kind)?);
        }
        for number in WITHOUT_EFFECT.into_iter().chain(REALTIME) {
            // A system without this signal can't send it.
            let _ = signal(SignalKind::from_raw(number));
        }
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// Reloads at each SIGHUP, and calls `apply` with each new configuration. Calls `reopen` with the
    /// configuration in force when the access log has to be opened anew. Returns when a signal, the end of
    /// the input (if `with_input`) or the end of the controller stops the program.
    pub(super) async fn until_told_to_stop(
        &mut self,
        handle: &Handle,
        mut reloaded: watch::Receiver<Arc<Config>>,
        (apply, reopen): (impl Fn(&Config), impl Fn(&Config)),
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
                        // A log that was rotated is opened anew whatever the file says.
                        reopen(&reloaded.borrow());
                    }
                }
                _ = self.user1.recv() => {
                    reopen(&reloaded.borrow());
                    tracing::info!("SIGUSR1: the access log is opened anew");
                }
                changed = reloaded.changed() => match changed {
                    Ok(()) => apply(&reloaded.borrow_and_update()),
                    Err(_) => break tracing::error!("the controller has ended: stopping"),
                },
            }
        }
    }
    /// Ends the process at once at the next SIGTERM or SIGINT. A person who sends a second one does not want
    /// to wait for the requests in flight. Every decision is in the store before its effect, so this loses
    /// no more than a crash does.
    pub(super) async fn end_at_the_next(mut self) {
        let name = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        };
        tracing::warn!("a second signal ({name}): ending at once");
        std::process::exit(CUT_SHORT);
    }
}
