//! Whether a file is still the one that was read.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What changes when a file is written, replaced, or a link to it is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    seconds: i64,
    nanoseconds: i64,
    bytes: u64,
    inode: u64,
    device: u64,
}

impl Stamp {
    /// `None` for a file that can't be looked at.
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            seconds: found.mtime(),
            nanoseconds: found.mtime_nsec(),
            bytes: found.size(),
            inode: found.ino(),
            device: found.dev(),
        })
    }
}

/// The stamps of files, in their order.
pub(super) fn stamps(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    paths.iter().map(|path| Stamp::of(path)).collect()
}
