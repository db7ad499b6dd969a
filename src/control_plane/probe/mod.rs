//! L3: active checks. Each endpoint on its own schedule with jitter, a fresh connection a probe.
//!
//! - **One task an endpoint**, which probes, reports, and sleeps. So an endpoint has one probe under
//!   way at most, which bounds connections by endpoints. There is no further limit on connects: a
//!   limit that endpoints share would let hung ones take the places of those that answer.
//! - **Reports wait for a place in their channel.** A dropped report would be lost evidence (a
//!   failure that never counted), a queue without bound would be old evidence. A full channel means
//!   that the controller is behind; then an endpoint's next probe waits until its last one was
//!   taken, and the channel is fair, so that no endpoint is held up by another but all by the one
//!   who reads. A report carries no time: the controller dates it when
//!   it takes it.
//! - **HTTP/1.1 by hand** over a plain socket and httparse: a probe is one request of 150 bytes and the
//!   head of its answer; a client library costs several times that, and brings redirects, proxies
//!   and pools that a check must not have. **HTTP/2 by the h2 crate**, where the upstream speaks it:
//!   a check in other words than the traffic's would fail what serves, or pass what does not.
//! - **An orderly close**, no `SO_LINGER` of zero: a reset would spare us a TIME_WAIT (60 an
//!   endpoint at one probe a second), and would put an error in the log of many an application
//!   that has just accepted.

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
