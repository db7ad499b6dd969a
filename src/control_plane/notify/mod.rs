//! L3: messages out: Slack, webhooks, and the HTTP hooks of a release.
//!
//! Notification are handed over without waiting and never in a release's way: each notifier has a bounded
//! queue of its own (the oldest gives way, and is counted) and a task that sends, with deadlines,
//! and tries again with growing, jittered pauses. What is said is a pure function of the news
//! (`words`, `slack`, `webhook`), kept in golden files.
//!
//! A secret is read when it is needed and is in no log and no error, nor is the URL: who has the URL
//! of an incoming webhook can post to it.

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
