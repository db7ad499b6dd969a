//! A limit on how often a webhook may be called. Pure; time is an argument.

use crate::model::Tick;

/// How many calls may come at once. A push of many layers makes a registry send as many messages.
pub(crate) const BURST: u32 = 120;
/// How many calls per second are allowed after that.
pub(crate) const PER_SECOND: u32 = 10;

/// A token bucket. The amounts are in thousandths of a token.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    burst: i64,
    per_second: i64,
    left: i64,
    seen: Option<Tick>,
}

impl Rate {
    pub(crate) fn new(burst: u32, per_second: u32) -> Self {
        let burst = i64::from(burst) * 1000;
        Self { burst, per_second: i64::from(per_second), left: burst, seen: None }
    }

    /// Takes one token. False if there is none.
    pub(crate) fn take(&mut self, now: Tick) -> bool {
        let passed = self.seen.map_or(0, |seen| now.0.saturating_sub(seen.0).max(0));
        self.seen = Some(now);
        self.left = self.left.saturating_add(passed.saturating_mul(self.per_second)).min(self.burst);
        if self.left < 1000 {
            return false;
        }
        self.left -= 1000;
        true
    }
}
