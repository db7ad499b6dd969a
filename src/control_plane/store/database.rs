//! One open SQLite file that has been checked: its format is known and its pages are whole.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::StoreFault;
use super::folder::{Identity, beside, create_empty, sync_parent};
use super::schema::{self, Format};

/// How long a call waits for a lock of another process. greenlight is the only writer, so only a
/// person's `sqlite3` can hold one.
const BUSY_MAX: Duration = Duration::from_secs(1);
/// SQLite cuts its write-ahead log back to this size, in bytes, after a checkpoint.
const WAL_BYTES_KEPT: i64 = 8 << 20;

/// An open and checked store file. It remembers which files it opened, so that [`Database::place`]
/// can tell whether their names still lead to them.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    path: PathBuf,
    main: Identity,
    wal: Identity,
}

/// How to treat a file that is missing or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfEmpty {
    /// It is the first start, so an empty store is made.
    Begin,
    /// There was a store before, so a missing or empty file is damage. The file is left as it is.
    Refuse,
}

/// Where the name of an open file leads now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The name leads to the open file.
    Same,
    /// The file or its log was removed. Anything written now would be gone after a restart.
    Removed,
    /// The name leads to another file.
    Replaced,
    /// The file system can't tell, for example because of a permission.
    Unreachable,
}

impl Database {
    /// Opens the file at `path`, brings it to the present format, and checks its pages. The
    /// returned flag is true if the file was empty before. `folder` is named in faults.
    pub(crate) fn open(path: &Path, folder: &Path, if_empty: IfEmpty) -> Result<(Self, bool), StoreFault> {
        let refuse = |why: String| StoreFault::Open { path: folder.display().to_string(), why };
        let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let there =
            path.try_exists().map_err(|error| refuse(format!("{} can't be looked at: {error}", name())))?;
        if !there && if_empty == IfEmpty::Refuse {
            let why = format!("{} is gone", name());
            return Err(StoreFault::Damaged { path: folder.display().to_string(), why });
        }
        if !there {
            // greenlight makes the file itself, so that it has `FILE_MODE`. SQLite gives the same
            // mode to -wal and -shm.
            create_empty(path).map_err(|error| refuse(format!("{} can't be made: {error}", name())))?;
        }
        let opened = Self::open_checked(path, folder, if_empty);
        opened.map_err(|fault| match fault {
            Unusable::Fault(fault) => fault,
            Unusable::Sqlite(error) if is_damage(&error) => StoreFault::Damaged {
                path: folder.display().to_string(),
                why: format!("{}: {error}", name()),
            },
            Unusable::Sqlite(error) => refuse(format!("{}: {error}", name())),
            Unusable::Io(error) => refuse(format!("{}: {error}", name())),
        })
    }

    fn open_checked(path: &Path, folder: &Path, if_empty: IfEmpty) -> Result<(Self, bool), Unusable> {
        let shown = || folder.display().to_string();
        let mut connection = connect(path)?;
        let format = schema::format(&connection)?;
        let found = match format {
            Format::Empty if if_empty == IfEmpty::Refuse => {
                return Err(StoreFault::Damaged { path: shown(), why: "it is empty".into() }.into());
            }
            Format::Empty => 0,
            Format::Greenlight(found) if found > schema::known() => {
                let known = schema::known();
                return Err(StoreFault::NewerFormat { path: shown(), found, known }.into());
            }
            Format::Greenlight(found) => found,
            Format::Foreign => {
                let why = "store.db is another program's database: give [store] path a folder of its own";
                return Err(StoreFault::Open { path: shown(), why: why.into() }.into());
            }
        };
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            let why = format!("its file system takes no write-ahead log (journal mode {mode})");
            return Err(StoreFault::Open { path: shown(), why }.into());
        }
        let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if check != "ok" {
            return Err(StoreFault::Damaged { path: shown(), why: check }.into());
        }
        schema::migrate(&mut connection, schema::STEPS, found)?;
        // SQLite syncs the content that it writes. The name of the file, which greenlight made, has
        // to be synced here.
        sync_parent(path)?;
        let (main, wal) = (Identity::of(path)?, Identity::of(&beside(path, "-wal"))?);
        Ok((Self { connection, path: path.to_owned(), main, wal }, format == Format::Empty))
    }

    /// Tells whether a write made now will be found under the file's name after a restart.
    pub(crate) fn place(&self) -> Place {
        match (Identity::of(&self.path), Identity::of(&beside(&self.path, "-wal"))) {
            (Ok(main), _) if main != self.main => Place::Replaced,
            (Ok(_), Ok(wal)) if wal == self.wal => Place::Same,
            (Ok(_), Ok(_)) => Place::Removed,
            (Err(error), _) | (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => Place::Removed,
            _ => Place::Unreachable,
        }
    }
}

/// Opens a connection with the store's settings.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Without SQLITE_OPEN_CREATE, a file that vanished is an error and is never silently made anew.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_MAX)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    Ok(connection)
}

/// Tells whether an error means that the file's content is not the content that was written.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

enum Unusable {
    Fault(StoreFault),
    Sqlite(rusqlite::Error),
    Io(io::Error),
}

impl From<StoreFault> for Unusable {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
