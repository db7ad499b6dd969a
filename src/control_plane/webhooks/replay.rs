//! Signed messages are accepted once. Their signatures are remembered within the window; after it, the
//! messages are too old. Pure; time is an argument.

use std::collections::{BTreeSet, VecDeque};

/// How far a message's time may be from greenlight's, before or after, in seconds.
pub(crate) const WINDOW_SECONDS: u64 = 300;
/// How many signatures are remembered. It is more than [`super::rate`] lets through in two windows (a
/// message's time may be ahead by one).
const REMEMBERED_MAX: usize = 8192;

/// Whether a message's time is near enough.
pub(crate) fn in_window(at: u64, now: u64) -> bool {
    at.abs_diff(now) <= WINDOW_SECONDS
}

/// The signatures of the window.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// Each signature with the time in Unix seconds until which it is remembered, in the order of their
    /// arrival.
    order: VecDeque<(u64, [u8; 32])>,
    known: BTreeSet<[u8; 32]>,
}

impl Replay {
    /// Whether this signature is remembered. Without room to remember another one, each one counts as known.
    pub(crate) fn knows(&mut self, signature: &[u8; 32], now: u64) -> bool {
        self.order.retain(|(until, old)| {
            let keep = *until >= now;
            if !keep {
                self.known.remove(old);
            }
            keep
        });
        self.order.len() >= REMEMBERED_MAX || self.known.contains(signature)
    }

    /// Remembers the signature of a message that was taken.
    pub(crate) fn remember(&mut self, signature: [u8; 32], at: u64) {
        if self.known.insert(signature) {
            self.order.push_back((at.saturating_add(WINDOW_SECONDS), signature));
        }
    }
}
