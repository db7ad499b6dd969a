//! Finds the word that a misspelled one most likely stands for.

/// The candidate that `written` is most likely a misspelling of, or `None` if no candidate is near. At most
/// a third of the letters may differ (and always one). Two swapped neighbors count once.
pub(super) fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // So long a text is no misspelling of a short key. The limit also bounds the work.
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, candidate);
            // If one of the two contains the other as a whole, they count as near. An example is
            // `interval_ms` for `interval`.
            let inside = candidate.len() >= 4 && (lower.contains(candidate) || candidate.contains(&lower));
            (if inside && lower.len() >= 4 { distance.min(1) } else { distance }, candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(lower.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
