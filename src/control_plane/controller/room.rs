//! The room that is left in the store's folder, for a person whose command was refused.

use std::path::Path;
use std::time::Duration;

/// How long the file system may take to answer. The disk may hang.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// Names the folder and its free space.
pub(crate) async fn room(folder: &Path) -> String {
    let asked = folder.to_owned();
    let asking = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&asked));
    let folder = folder.display();
    match tokio::time::timeout(ANSWER_TIMEOUT, asking).await {
        Ok(Ok(Ok(found))) => {
            let free = bytes(found.f_bavail.saturating_mul(found.f_frsize));
            let all = bytes(found.f_blocks.saturating_mul(found.f_frsize));
            format!("{folder}: {free} of {all} free, {} inodes free", found.f_favail)
        }
        Ok(Ok(Err(why))) => format!("{folder}: {why}"),
        Ok(Err(_)) | Err(_) => format!("{folder}: its disk does not answer"),
    }
}

/// A size in the largest unit that keeps it at 1 or above.
fn bytes(size: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| size >> shift > 0);
    unit.map_or_else(|| format!("{size} B"), |(shift, name)| format!("{} {name}", size >> shift))
}
