//! The `secrets` and `configs` of a compose file, which are files of the host that a container sees.

use serde_json::Value;

use super::volumes::{Place, host_path};
use super::yaml::{Table, text, text_of};

/// The mounts of a service's secrets and configs, and notes about those that are no files. `root` is the whole
/// compose file.
pub(crate) fn mounts(table: &Table, root: &Table, place: Place<'_>) -> (Vec<String>, Vec<String>) {
    let (mut mounts, mut notes) = (Vec::new(), Vec::new());
    for (key, folder) in [("secrets", "/run/secrets/"), ("configs", "/")] {
        let declared = root.get(key).and_then(Value::as_object);
        for (number, item) in table.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
            let (source, target) = match item {
                Value::Object(long) => (text_of(long, "source"), text_of(long, "target")),
                scalar => (text(scalar), None),
            };
            let Some(source) = source else { continue };
            let file = declared
                .and_then(|declared| declared.get(&source)?.as_object())
                .and_then(|one| text_of(one, "file"));
            match file.and_then(|file| host_path(&file, place)) {
                Some(file) => {
                    let target = target.unwrap_or_else(|| source.clone());
                    let target =
                        if target.starts_with('/') { target } else { format!("{folder}{target}") };
                    mounts.push(format!("{file}:{target}:ro"));
                }
                None => notes.push(format!(
                    "{key}[{number}]: {source} is no file of this host: write it into a file and name that in mounts"
                )),
            }
        }
    }
    (mounts, notes)
}
