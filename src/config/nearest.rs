//! What somebody who misspelt a word most likely meant.

/// The candidate that `written` is a misspelling of, or `None` when none is near: at most a third
/// of the letters differ (and at least one may), swapped neighbors counting once.
pub(super) fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // A long key is no misspelling of a short one; the cut also bounds the work.
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, candidate);
            // `interval_ms` for `interval`: a whole word of it counts as near.
            let inside = candidate.len() >= 4 && (lower.contains(candidate) || candidate.contains(&lower));
            (if inside && lower.len() >= 4 { distance.min(1) } else { distance }, candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(lower.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
