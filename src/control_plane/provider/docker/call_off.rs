//! A way to tell work at an engine that it is not wanted any more. The work checks for this between two
//! calls of an engine, so that no call is cut off with an unknown outcome.

use tokio::sync::watch;

/// The end of the worker. All clones see the same state.
#[derive(Clone, Debug)]
pub struct CallOff(watch::Receiver<bool>);

/// The other end, which calls the work off. Dropping it does not call off anything.
#[derive(Debug)]
pub struct Caller(watch::Sender<bool>);

/// Creates both ends.
#[must_use]
pub fn call_off() -> (Caller, CallOff) {
    let (said, heard) = watch::channel(false);
    (Caller(said), CallOff(heard))
}

impl Caller {
    /// Tells the work that it is not wanted any more.
    pub fn call_off(&self) {
        self.0.send_replace(true);
    }
}

impl CallOff {
    /// Checks whether the work goes on.
    ///
    /// # Errors
    /// [`super::DockerFault::CalledOff`] once the work is called off.
    pub fn check(&self) -> Result<(), super::DockerFault> {
        if *self.0.borrow() { Err(super::DockerFault::CalledOff) } else { Ok(()) }
    }

    /// Waits until the work is called off. If that never happens, it waits forever.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|off| *off).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
