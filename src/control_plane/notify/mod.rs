//! Outgoing messages: Slack, webhooks, and the HTTP hooks of a release.
//!
//! The controller hands notifications over without waiting, so they never delay a release. Each
//! notifier has its own bounded queue; a full queue drops and counts the oldest notification. Each
//! has a task that sends with deadlines and tries again with growing, jittered pauses. The text of
//! a message is a pure function of the notification (`words`, `slack`, `webhook`) and is tested
//! with golden files.
//!
//! A secret is read when it is needed, and appears in no log and no error. The same holds for URLs,
//! since a person with the URL of an incoming webhook can post to it.

mod backoff;
mod call;
mod client;
mod counts;
mod notification;
mod notifiers;
mod queue;
mod sender;
mod slack;
mod webhook;
mod words;

#[cfg(test)]
mod tests;

pub use call::{HookCall, call};
pub use notification::{AlarmChange, Notification, Receipt, ReleaseSummary};
pub use notifiers::Notifiers;
