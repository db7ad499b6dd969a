//! L3: the one loop: event -> step -> persist -> perform. The only writer of the route table.

mod handle;
mod view;

pub use handle::{
    Actor, Command, Done, Handle, Inbox, Precondition, Rejection, ReloadReport, Request, channel,
};
pub use view::{
    AuditEntry, EndpointView, EventView, FINAL_STATES, PinView, QuarantineView, ReleaseView, ServiceView,
    Views, is_final,
};
