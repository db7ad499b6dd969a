//! Whether a file is still the one that was read.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::TlsFault;

/// What changes when a file is written or replaced, when a link to it is turned, and (its ctime)
/// when it gets another owner or other rights: one that could not be read may be readable then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    bytes: u64,
    inode: u64,
    device: u64,
}

impl Stamp {
    /// `None` for a file that can't be looked at.
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

/// The stamps of files, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<Stamp>>);

impl Stamps {
    /// To be taken before the files are read: what is written meanwhile then shows later.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| Stamp::of(path)).collect())
    }
}

/// Files that are read again when they have changed, or could not be used the last time.
#[derive(Debug)]
pub(super) struct Watched {
    /// Of the files that were looked at last, good or not.
    seen: Stamps,
    /// What was wrong with them.
    fault: Option<String>,
}

impl Watched {
    /// Files that were read well.
    pub(super) fn good(seen: Stamps) -> Self {
        Self { seen, fault: None }
    }

    /// The stamps that the files had when they were looked at last.
    pub(super) fn seen(&self) -> &Stamps {
        &self.seen
    }

    /// What was wrong with the files when they were looked at last.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Reads the files if that may bring something new. `Ok(None)`: it does not. A fault is told
    /// once, until there is another one or none.
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
