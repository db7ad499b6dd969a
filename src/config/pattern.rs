//! Patterns of key paths. In them, `*` stands for any name and `[*]` for any index.

/// Whether a path is an instance of the pattern.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let mut pattern = pattern.split('.');
    let mut path = path.split('.');
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(found)) if segment_matches(expected, found) => {}
            _ => return false,
        }
    }
}

fn segment_matches(expected: &str, found: &str) -> bool {
    if expected == "*" {
        return true;
    }
    match (expected.strip_suffix("[*]"), found.split_once('[')) {
        (Some(expected), Some((found, _))) => expected == found,
        (None, None) => expected == found,
        _ => false,
    }
}
