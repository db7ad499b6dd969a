//! The one previous copy of the store, and how a damaged store is replaced by it.
//!
//! A start that found the store whole makes the copy, and nothing waits for it, since SQLite's log
//! lets one connection read a snapshot while the other writes. The copy is written under another
//! name, read back, and only then renamed over the older copy. So one whole copy is there at every
//! moment. The copy is not made again until the next start. A copy that is made often would be as
//! likely to be bad as the store itself, since it could be taken just after the store went wrong.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::StoreFault;
use super::database::{Database, IfEmpty};
use super::folder::{Folder, beside, create_empty, remove_if_there, settle, sync_parent};
use super::schema::{self, Format};

/// Why no copy could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyFault {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the copy is not whole: {0}")]
    NotWhole(String),
}

/// Copies the store that `source` has open into `target`, completely or not at all.
pub(crate) fn copy(source: &Connection, target: &Path) -> Result<(), CopyFault> {
    let unfinished = beside(target, ".new");
    let copied = write_copy(source, &unfinished).and_then(|()| Ok(settle(&unfinished, target)?));
    if copied.is_err() {
        // An unfinished copy on a full disk would keep the disk full.
        let _ = remove_if_there(&unfinished);
    }
    copied
}

fn write_copy(source: &Connection, unfinished: &Path) -> Result<(), CopyFault> {
    create_empty(unfinished)?;
    source.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    let copy = Connection::open_with_flags(unfinished, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let check: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    let format = schema::format(&copy)?;
    if check != "ok" || !matches!(format, Format::Greenlight(_)) {
        return Err(CopyFault::NotWhole(format!("{check}, {format:?}")));
    }
    Ok(())
}

/// Copies the store file at `main` to `previous` through its own connection.
pub(crate) fn copy_file(main: &Path, previous: &Path) -> Result<(), CopyFault> {
    let source = Connection::open_with_flags(main, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy(&source, previous)
}

/// Tells whether the folder once held a store, even if it holds none now.
pub(crate) fn has_traces(folder: &Folder) -> bool {
    folder.previous().exists() || folder.damaged().exists()
}

/// Puts the previous copy in the place of the damaged store. The copy itself stays under its name.
pub(crate) fn restore(folder: &Folder, why: &str) -> Result<Database, StoreFault> {
    let previous = folder.previous();
    if !previous.exists() {
        let why = format!("{why}; and there is no previous copy");
        return Err(StoreFault::Damaged { path: folder.shown(), why });
    }
    let unfinished = beside(&folder.main(), ".new");
    let refuse = |error: io::Error| StoreFault::Open {
        path: folder.shown(),
        why: format!("its previous copy can't be put in its place: {error}"),
    };
    create_empty(&unfinished).and_then(|()| fs::copy(&previous, &unfinished).map(drop)).map_err(refuse)?;
    // The copy is opened before it replaces the store, so a bad copy does no harm.
    let tried = Database::open(&unfinished, folder.path(), IfEmpty::Refuse).and_then(|(database, _)| {
        note(&database, false, why).map_err(|error| StoreFault::Write(error.to_string()))
    });
    if let Err(fault) = tried {
        remove_all(&unfinished).map_err(refuse)?;
        return Err(fault);
    }
    put_aside(folder).map_err(refuse)?;
    settle(&unfinished, &folder.main()).map_err(refuse)?;
    remove_all(&unfinished).map_err(refuse)?;
    Database::open(&folder.main(), folder.path(), IfEmpty::Refuse).map(|(database, _)| database)
}

/// Begins with an empty store after neither the store nor its copy could be read.
pub(crate) fn begin_anew(folder: &Folder, why: &str) -> Result<Database, StoreFault> {
    let refuse = |error: io::Error| StoreFault::Open {
        path: folder.shown(),
        why: format!("the damaged store can't be put aside: {error}"),
    };
    put_aside(folder).map_err(refuse)?;
    let (database, _) = Database::open(&folder.main(), folder.path(), IfEmpty::Begin)?;
    note(&database, true, why).map_err(|error| StoreFault::Write(error.to_string()))?;
    Ok(database)
}

/// Renames the damaged store, so that a person can look at it. Only the latest one is kept.
fn put_aside(folder: &Folder) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (beside(&folder.main(), suffix), beside(&folder.damaged(), suffix));
        remove_if_there(&to)?;
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_parent(&folder.main())
}

/// Removes a database and the files that SQLite keeps beside it.
pub(crate) fn remove_all(database: &Path) -> io::Result<()> {
    ["", "-wal", "-shm"].iter().try_for_each(|suffix| remove_if_there(&beside(database, suffix)))
}

/// Records in the store itself that it replaced a damaged one. Without this row, a crash before the
/// first decision would make the store look as if it had never been replaced.
fn note(database: &Database, lost: bool, why: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO recovery (only, lost, why) VALUES (0, ?1, ?2)";
    database.connection.execute(sql, (lost, why)).map(drop)
}
