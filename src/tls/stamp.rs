//! The check whether a file is still the one that was read.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::TlsFault;

/// The properties of a file that change when the file is written or replaced, or when a link to it is
/// turned. The ctime also changes with the owner and the mode of the file, and a file that could not be
/// read may be readable then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    /// The mtime, in seconds and nanoseconds.
    modified: (i64, i64),
    /// The ctime, in seconds and nanoseconds.
    changed: (i64, i64),
    bytes: u64,
    inode: u64,
    device: u64,
}

impl Stamp {
    /// The stamp of a file. `None` if the system can't describe the file, as when it is missing.
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            bytes: found.size(),
            inode: found.ino(),
            device: found.dev(),
        })
    }
}

/// The stamps of several files, in the order of their paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<Stamp>>);

impl Stamps {
    /// The stamps of these files. Take them before the files are read. Then a write during the reading
    /// shows as a change at the next look.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| Stamp::of(path)).collect())
    }
}

/// Files that are read again if they have changed, or if they could not be used the last time.
#[derive(Debug)]
pub(super) struct Watched {
    /// The stamps of the last look, whether the files were good or not.
    seen: Stamps,
    /// The fault of the files at the last look.
    fault: Option<String>,
}

impl Watched {
    /// Files that were read without a fault. `seen` are their stamps from before they were read.
    pub(super) fn good(seen: Stamps) -> Self {
        Self { seen, fault: None }
    }

    /// The stamps of the files at the last look.
    pub(super) fn seen(&self) -> &Stamps {
        &self.seen
    }

    /// The fault of the files at the last look.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Reads the files if they have changed since the last look, or could not be used then. Returns
    /// `Ok(None)` if there is no new result.
    ///
    /// # Errors
    /// The fault of the files. The same fault is returned only once in a row; the later looks at it
    /// return `Ok(None)`.
    pub(super) fn read_again<T>(
        &mut self,
        paths: &[PathBuf],
        read: impl FnOnce() -> Result<T, TlsFault>,
    ) -> Result<Option<T>, TlsFault> {
        let now = Stamps::of(paths);
        if now == self.seen && self.fault.is_none() {
            return Ok(None);
        }
        self.seen = now;
        let told = self.fault.take();
        match read() {
            Ok(value) => Ok(Some(value)),
            Err(why) => {
                let said = Some(why.to_string());
                let is_news = said != told;
                self.fault = said;
                if is_news { Err(why) } else { Ok(None) }
            }
        }
    }
}
