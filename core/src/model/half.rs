//! The majority rule that health, releases and routing share.

/// Whether `part` is more than half of `whole`. Exactly half is not more than half.
#[must_use]
pub const fn is_more_than_half(part: u64, whole: u64) -> bool {
    // The rest is compared, so that no count is too large to be doubled.
    part > whole.saturating_sub(part)
}
