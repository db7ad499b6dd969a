//! A way to tell work that nobody wants it any more. It is asked between two calls of an engine, so
//! that no call is left half done and nobody knows of its outcome.

use tokio::sync::watch;

/// The worker's end; clones hear the same word.
#[derive(Clone, Debug)]
pub struct CallOff(watch::Receiver<bool>);

/// The other end: says so. Dropping it says nothing.
#[derive(Debug)]
pub struct Caller(watch::Sender<bool>);

/// Both ends.
#[must_use]
pub fn call_off() -> (Caller, CallOff) {
    let (said, heard) = watch::channel(false);
    (Caller(said), CallOff(heard))
}

impl Caller {
    /// Nobody wants it any more.
    pub fn call_off(&self) {
        self.0.send_replace(true);
    }
}

impl CallOff {
    /// # Errors
    /// [`super::DockerFault::CalledOff`] once it is.
    pub fn check(&self) -> Result<(), super::DockerFault> {
        if *self.0.borrow() { Err(super::DockerFault::CalledOff) } else { Ok(()) }
    }

    /// Until it is called off; for ever if it never is.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|off| *off).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
