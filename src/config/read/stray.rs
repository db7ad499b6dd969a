//! Keys that stand in the wrong kind of section.

use crate::config::section::Section;

/// Refuses keys of the other kind: they would be ignored.
pub(super) fn stray(section: &mut Section<'_, '_>, keys: &[&'static str], kind: &str) {
    for key in keys {
        if let Some(item) = section.item(key) {
            // Nothing in it is read, so nothing in it is shown.
            section.walk.hide(&item.path);
            section.walk.fault(&item.path, format!("is only for kind = \"{kind}\": remove it, or set that"));
        }
    }
}
