//! Refuses keys that stand in the wrong kind of section.

use crate::config::section::Section;

/// Refuses keys of another kind, because they would be ignored. `kind` names the kind that they belong to.
pub(super) fn stray(section: &mut Section<'_, '_>, keys: &[&'static str], kind: &str) {
    for key in keys {
        if let Some(item) = section.item(key) {
            // The value is not read as a key of any kind, so it is not shown either.
            section.walk.hide(&item.path);
            section.walk.fault(&item.path, format!("is only for kind = \"{kind}\": remove it, or set that"));
        }
    }
}
