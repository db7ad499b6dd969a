//! The store thread's folder and open file, and how it gets them back after a fault of the disk.
//!
//! The caller of a failed write gets the fault at once. The keeper remembers only that the
//! connection is in doubt. The next call opens the file again, so a disk that comes back is used
//! without a restart.
//!
//! A file that was removed while it is open can still be written, but all of it would be gone after
//! a restart. So the keeper looks up the file's name before each write, which takes a few
//! microseconds beside an fsync. If the name is gone, the keeper copies the open file, which still
//! has everything, back under its name. If the name leads to another file, a person has put that
//! file there. Then the keeper writes nothing until a restart, which opens that file.

use rusqlite::{Connection, ErrorCode};

use super::StoreFault;
use super::database::{Database, IfEmpty, Place, is_damage};
use super::folder::{Folder, beside, remove_if_there};
use super::previous;

/// The folder and the connection of the store. Only the store's thread uses them.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: Folder,
    /// `None` only after a failed opening, until the next one succeeds.
    database: Option<Database>,
    /// Whether the last use failed in a way that leaves the connection in doubt.
    doubtful: bool,
}

impl Keeper {
    pub(crate) fn new(folder: Folder, database: Database) -> Self {
        Self { folder, database: Some(database), doubtful: false }
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Runs a write, after making sure that the connection's file is under its name.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreFault> {
        self.put_right().map_err(StoreFault::Write)?;
        self.run(work, StoreFault::Write)
    }

    /// Runs a read. The open file is read even if its name is gone, since its content is still the
    /// content that was written.
    pub(crate) fn read<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreFault> {
        if self.doubtful || self.database.is_none() {
            self.put_right().map_err(StoreFault::Read)?;
        }
        self.run(work, StoreFault::Read)
    }

    fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
        fault: fn(String) -> StoreFault,
    ) -> Result<T, StoreFault> {
        let Some(database) = &mut self.database else {
            return Err(fault("it is not open".into()));
        };
        work(&mut database.connection).map_err(|error| {
            self.doubtful |= leaves_doubt(&error);
            if is_damage(&error) {
                return StoreFault::Damaged { path: self.folder.shown(), why: error.to_string() };
            }
            fault(error.to_string())
        })
    }

    /// Makes sure that the next write will be found after a restart.
    fn put_right(&mut self) -> Result<(), String> {
        match self.database.as_ref().map(Database::place) {
            Some(Place::Same) if !self.doubtful => Ok(()),
            Some(Place::Same) | None => self.reopen(),
            Some(Place::Removed) => self.write_back(),
            Some(Place::Replaced) => Err(format!(
                "{} was replaced while it was in use: restart greenlight to use the one that is there now",
                self.folder.main().display()
            )),
            Some(Place::Unreachable) => Err(format!("{} can't be reached", self.folder.main().display())),
        }
    }

    fn reopen(&mut self) -> Result<(), String> {
        // The old connection is closed first. Closing it removes the log by its name, and the new
        // connection would be using a log of that name.
        self.database = None;
        // If the file is gone or empty now, its content was lost with the connection. An empty
        // store would claim that there never was a record, so it is refused. A restart uses the
        // previous copy.
        let main = self.folder.main();
        let opened = Database::open(&main, self.folder.path(), IfEmpty::Refuse);
        let (database, _) = opened.map_err(|fault| fault.to_string())?;
        self.database = Some(database);
        self.doubtful = false;
        Ok(())
    }

    /// Writes all of the open file under its name again, after the name of the file or of its log
    /// was removed.
    fn write_back(&mut self) -> Result<(), String> {
        self.folder.reclaim().map_err(|fault| fault.to_string())?;
        let Some(database) = &self.database else {
            return Err("it is not open".into());
        };
        let main = self.folder.main();
        let rescued = beside(&main, ".rescued");
        previous::copy(&database.connection, &rescued)
            .map_err(|fault| format!("{} was removed and can't be written again: {fault}", main.display()))?;
        self.database = None;
        remove_if_there(&beside(&main, "-wal"))
            .and_then(|()| remove_if_there(&beside(&main, "-shm")))
            .and_then(|()| super::folder::settle(&rescued, &main))
            .map_err(|error| format!("{} can't be put back: {error}", main.display()))?;
        self.reopen()?;
        tracing::warn!(file = %main.display(), "the store was removed while in use; it has been written again");
        Ok(())
    }
}

/// Tells whether to open the file again before the next use. A full disk, a lock and a violated
/// constraint leave the connection usable.
fn leaves_doubt(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => {
            !matches!(code, ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation)
        }
        None => false,
    }
}
