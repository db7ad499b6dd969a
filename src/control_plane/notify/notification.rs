//! A notification, with everything that its text needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use crate::judge::Verdict;
use crate::model::Color;
use crate::release::Notice;

/// A release as it was when the notification was made. Times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReleaseSummary {
    pub id: String,
    /// `deploy` or `rollback`.
    pub kind: String,
    pub version: String,
    /// `blue` or `green`.
    pub color: Color,
    pub state: String,
    pub started_at: String,
    pub promoted_at: Option<String>,
    pub finished_at: Option<String>,
    /// Seconds from the release's beginning to its end, or to the notification.
    pub duration_seconds: Option<f64>,
    /// The judge's verdict (`pass`, `fail` or `inconclusive`); `None` until there is one.
    pub verdict: Option<Verdict>,
    /// The judge's numbers; empty before a bake.
    pub numbers: serde_json::Map<String, serde_json::Value>,
}

/// An alarm that was raised or has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmChange {
    pub name: String,
    pub raised: bool,
}

/// One message to people.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The kind of the notification.
    pub notice: Notice,
    pub service: String,
    /// When the fact happened, RFC 3339.
    pub time: String,
    /// The reason, in a sentence.
    pub reason: String,
    /// The release that it is about; `None` if there is none.
    pub release: Option<ReleaseSummary>,
    /// The alarm, only with [`Notice::Alarm`].
    pub alarm: Option<AlarmChange>,
    /// The color that has the traffic, and its version, if that is known.
    pub active: Color,
    pub active_version: Option<String>,
    /// Whether the command `rollback` would be accepted now.
    pub rollback_available: bool,
}

impl Notification {
    /// Returns the id of the notification. It stays the same if the notification is sent again, so
    /// that a receiver can recognize a repetition.
    #[must_use]
    pub fn id(&self) -> String {
        let word = self.notice.as_str();
        match (&self.alarm, &self.release) {
            (Some(alarm), _) => {
                let what = if alarm.raised { "raised" } else { "over" };
                format!("{}/{word}/{}/{what}/{}", self.service, alarm.name, self.time)
            }
            (None, Some(release)) => format!("{}/{word}", release.id),
            (None, None) => format!("{}/{word}/{}", self.service, self.time),
        }
    }
}

/// Calls a function once, when every notifier has sent a notification or given it up.
pub struct Receipt {
    open: AtomicUsize,
    told: Box<dyn Fn() + Send + Sync>,
}

impl Receipt {
    /// Makes a receipt. A sender's task calls `told`, so it must not block.
    #[must_use]
    pub fn new(told: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { open: AtomicUsize::new(1), told: Box::new(told) })
    }

    pub(crate) fn open(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn close(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.told)();
        }
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").field("open", &self.open).finish_non_exhaustive()
    }
}
