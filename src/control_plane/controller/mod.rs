//! The controller is the one loop of the control plane: event, step, persist, perform. It is the
//! only writer of the route table.
//!
//! The loop takes one thing at a time (a command, a probe, a closed second, a deadline) and gives
//! it to the pure step of its service. It writes the new record, and only then performs the effects
//! of the step. The code here decides nothing. All of it can fail and be done again.

mod announce;
mod apply;
mod certificate_watch;
mod certificates;
mod commands;
mod containers;
mod ejected;
mod errands;
mod evidence;
mod exhibit;
mod handle;
mod message;
mod metrics;
mod perform;
mod persist;
mod record;
mod rejection;
mod reload;
mod remember;
mod room;
mod run;
mod saved;
mod scribe;
mod service;
mod start;
mod story;
mod synthetic;
mod table;
mod view;
mod workers;

#[cfg(test)]
mod tests;

pub use exhibit::{ContainerEvidence, Exhibits, keep_containers};
pub use handle::{Handle, Inbox, channel};
pub use message::{Actor, Command, Done, Precondition, ReloadReport, Request};
pub use rejection::{RefusalCode, Rejection};
pub use run::Controller;
pub use start::{Memory, Options, Prepared, StartFault};
pub use view::{
    AuditEntry, EndpointView, EventView, PinView, QuarantineView, ReleaseView, ServiceView, Views,
};
