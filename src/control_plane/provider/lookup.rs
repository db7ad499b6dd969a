//! Look-ups of host names, with a limit on their number and on their time.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::tasks;

/// How long an answer may take, with the wait for a permit included.
pub(crate) const LOOKUP_MAX: Duration = Duration::from_secs(5);
/// How many look-ups run at a time. Each takes a thread of the runtime's blocking pool.
pub(crate) const LOOKUPS_AT_ONCE: usize = 16;

type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// The resolver that is asked, which is the system's or that of a test.
pub(crate) type Ask = Arc<dyn Fn(String) -> Answer + Send + Sync>;

/// The system's resolver.
pub(crate) fn system() -> Ask {
    Arc::new(|name| Box::pin(async move { tokio::net::lookup_host(name).await.map(Iterator::collect) }))
}

/// Asks a resolver within the limits. Clones share the limits.
#[derive(Clone)]
pub(crate) struct Lookups {
    ask: Ask,
    patience: Duration,
    permits: Arc<Semaphore>,
}

impl Lookups {
    /// `patience` is [`LOOKUP_MAX`] except in tests.
    pub(crate) fn new(ask: Ask, patience: Duration) -> Self {
        Self { ask, patience, permits: Arc::new(Semaphore::new(LOOKUPS_AT_ONCE)) }
    }

    /// The addresses of `name` (`host:port`), or why there are none.
    ///
    /// If a name has both kinds of addresses, only the IPv4 ones are taken. Both lead to the same
    /// processes, which must not be counted twice. And a process that listens on one of the two only
    /// (`localhost`) would look half sick forever.
    pub(crate) async fn resolve(&self, name: &str) -> Result<Vec<SocketAddr>, String> {
        let asked = async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(io::Error::other)?;
            let answer = (self.ask)(name.to_owned());
            // The look-up is a task of its own, because a system's look-up can't be canceled. Its permit is
            // not free before the look-up has ended, even if the wait for its answer is over long before.
            let asked = tasks::spawn("look-up", async move {
                let _until_it_ends = permit;
                answer.await
            });
            asked.await.map_err(io::Error::other)?
        };
        let mut found = match tokio::time::timeout(self.patience, asked).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err(format!("no answer within {} s", self.patience.as_secs_f32())),
        };
        if found.iter().any(SocketAddr::is_ipv4) {
            found.retain(SocketAddr::is_ipv4);
        }
        if found.is_empty() { Err("it has no address".into()) } else { Ok(found) }
    }
}
