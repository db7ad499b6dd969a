//! What the store's thread owns: the folder, the open file, and how to get it back.
//!
//! A failed write is told at once and nothing is remembered but a doubt: the next call opens the
//! file again, so that a disk that comes back is used without a restart.
//!
//! A file that is removed while it is open can still be written, and all of it is gone after a
//! restart. So before each write its name is looked up (a few microseconds beside an fsync): if it
//! is gone, the open file, which still has everything, is copied back under it. If the name leads
//! to something else, a person has put it there: nothing is written until the restart that takes
//! it up.

use rusqlite::{Connection, ErrorCode};

use super::StoreFault;
use super::database::{Database, IfEmpty, Place, is_damage};
use super::folder::{Folder, beside, remove_if_there};
use super::previous;

/// The folder and the connection, on the one thread that uses them.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: Folder,
    /// `None` only between a failed opening and the next one.
    database: Option<Database>,
    /// The last use failed in a way that leaves the connection in doubt.
    doubtful: bool,
}

impl Keeper {
    pub(crate) fn new(folder: Folder, database: Database) -> Self {
        Self { folder, database: Some(database), doubtful: false }
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Runs a write on a connection whose file is under its name.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreFault> {
        self.put_right().map_err(StoreFault::Write)?;
        self.run(work, StoreFault::Write)
    }

    /// Runs a read. What is open is read even if its name is gone: it is still what was written.
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

    /// Makes sure that what is written next will be found after a restart.
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
        // Closed first: a close removes the log by its name, which the new one would be using.
        self.database = None;
        // If it is gone or empty now, its content went with the connection: an empty one would say
        // that nothing ever was. A restart takes up the previous copy.
        let main = self.folder.main();
        let opened = Database::open(&main, self.folder.path(), IfEmpty::Refuse);
        let (database, _) = opened.map_err(|fault| fault.to_string())?;
        self.database = Some(database);
        self.doubtful = false;
        Ok(())
    }

    /// The file's name, or its log's, is gone: writes all of the open file under it again.
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

/// Whether to open the file again before the next use. A full disk and a lock leave the
/// connection as it was.
fn leaves_doubt(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => {
            !matches!(code, ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation)
        }
        None => false,
    }
}
