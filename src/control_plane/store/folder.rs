//! The store's folder: it is made and locked here, and its files have their names here.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::StoreFault;

/// Only the user that runs greenlight may read a store, since records name versions, hosts and
/// people.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The device and inode of a file. Two files never have the same pair while both exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

impl Identity {
    /// Returns the identity of the file that `path` leads to now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|found| Self(found.dev(), found.ino()))
    }
}

/// A folder that no other greenlight uses while this value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The open lock file. The system releases the lock when this file is closed, however the
    /// process ends.
    lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and locks it. The fault is [`StoreFault::Locked`] if
    /// another process holds the lock.
    pub(crate) fn claim(path: &Path) -> Result<Self, StoreFault> {
        let refuse = |what: &str, error: &io::Error| StoreFault::Open {
            path: path.display().to_string(),
            why: format!("{what}: {error}"),
        };
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path)
            .map_err(|error| refuse("the folder can't be made", &error))?;
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(path.join("lock"))
            .map_err(|error| refuse("its lock file can't be opened", &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(StoreFault::Locked(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(refuse("it can't be locked", &error)),
        }
    }

    /// Makes and locks the folder again if it was removed or replaced while this process held it.
    pub(crate) fn reclaim(&mut self) -> Result<(), StoreFault> {
        if self.is_held() {
            return Ok(());
        }
        *self = Self::claim(&self.path)?;
        Ok(())
    }

    fn is_held(&self) -> bool {
        let held = self.lock.metadata().map(|held| Identity(held.dev(), held.ino()));
        matches!((held, Identity::of(&self.path.join("lock"))), (Ok(held), Ok(there)) if held == there)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn main(&self) -> PathBuf {
        self.path.join("store.db")
    }

    pub(crate) fn previous(&self) -> PathBuf {
        self.path.join("store.previous.db")
    }

    pub(crate) fn damaged(&self) -> PathBuf {
        self.path.join("store.damaged.db")
    }
}

/// Returns the path of the file that SQLite keeps beside a database (`-wal` or `-shm`).
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes an empty file that only its owner may read and write. A file that is there is emptied.
pub(crate) fn create_empty(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(path).map(drop)
}

/// Moves a complete file to its final name. After a crash, the new file is there completely or not
/// at all.
pub(crate) fn settle(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    fs::rename(from, to)?;
    sync_parent(to)
}

/// Syncs the folder of a file, so that the names in it survive a crash.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Removes a file, if it is there.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
