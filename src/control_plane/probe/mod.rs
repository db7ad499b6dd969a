//! Active health checks. Each endpoint is probed on its own schedule with jitter, over a fresh
//! connection for each probe.
//!
//! - **One task for each endpoint** probes, reports, and sleeps. So an endpoint has at most one
//!   probe under way, and the number of endpoints bounds the number of connections. There is no
//!   further limit on connects, since endpoints that hang would use up a shared limit and delay the
//!   probes of those that answer.
//! - **Reports wait for a place in their channel.** A dropped report would be lost evidence (a
//!   failure that never counted), and an unbounded queue would hold old evidence. A full channel
//!   means that the controller is behind. Then an endpoint's next probe waits until its last report
//!   has a place. The channel is fair, so a slow controller delays all endpoints alike, and no
//!   endpoint delays another. A report carries no time. The controller dates it when it takes it.
//! - **HTTP/1.1 is written by hand** over a plain socket and httparse. A probe is one request of
//!   150 bytes and the head of its answer. A client library costs several times that, and brings
//!   redirects, proxies and pools that a check must not have. **HTTP/2 uses the h2 crate**, for
//!   upstreams that speak HTTP/2. A check in another protocol than the traffic's would fail
//!   endpoints that serve well, or pass endpoints that don't.
//! - **Connections close in order**, without an `SO_LINGER` of zero. A reset would save greenlight
//!   a TIME_WAIT (60 for each endpoint at one probe a second), but many applications would log an
//!   error for a connection that they have just accepted.

mod answer;
mod chunks;
mod exchange;
mod failure;
mod http2;
mod opening;
mod prober;
mod request;
mod schedule;
mod synthetic;
mod target;
#[cfg(test)]
mod tests;

pub use prober::{ProbeReport, Prober};
pub use synthetic::{Synthetic, SyntheticReport, SyntheticTarget};
pub use target::ProbeTarget;
