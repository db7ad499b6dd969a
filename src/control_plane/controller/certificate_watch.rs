//! The memory of the looks at certificates.

use std::collections::BTreeSet;
use std::time::Instant;

/// What was said about the certificates so far.
#[derive(Debug, Default)]
pub(crate) struct CertificateWatch {
    pub(super) looked: Option<Instant>,
    pub(super) warned: Option<Instant>,
    /// The texts of the last warnings. A new text is not held back.
    pub(super) texts: BTreeSet<String>,
    /// The hosts that the metric shows.
    pub(super) hosts: BTreeSet<String>,
}

impl CertificateWatch {
    /// Has the next look repeat all warnings, as after a reload.
    pub(crate) fn repeat(&mut self) {
        *self = Self { hosts: std::mem::take(&mut self.hosts), ..Self::default() };
    }
}
