//! The tables, and the migration of older formats to the present one.
//!
//! A store's format is the number of steps that made it (`PRAGMA user_version`). A released step is
//! never changed. A new format is one more step.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a database as a greenlight store ("glst"), so that greenlight never touches another
/// program's database.
pub(crate) const APPLICATION_ID: i32 = 0x676c_7374;

/// The SQL that each format adds to the one before it. Format 1 is added to an empty database.
///
/// Events have no foreign key to releases, since a story may begin before its release's record is
/// written. With `AUTOINCREMENT` a sequence number is never assigned twice, not even after pruning.
pub(crate) const STEPS: &[&str] = &[
    "
    CREATE TABLE services (
        name TEXT PRIMARY KEY NOT NULL,
        revision INTEGER NOT NULL CHECK (revision > 0),
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE releases (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        service TEXT NOT NULL REFERENCES services (name),
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX releases_of_service ON releases (service, seq);
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        release TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_of_release ON events (release, seq);
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        service TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_of_service ON audit (service, seq);
    -- One row at most: why this store was made anew, until the first record is written into it.
    CREATE TABLE recovery (
        only INTEGER PRIMARY KEY CHECK (only = 0),
        lost INTEGER NOT NULL,
        why TEXT NOT NULL
    ) STRICT;
",
    "
    -- What is kept beside a release's record and read only to explain it; replaced whole.
    CREATE TABLE exhibits (
        release TEXT NOT NULL,
        name TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (release, name)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- What is no record of a service: ACME accounts, certificates with their keys.
    CREATE TABLE credentials (
        name TEXT PRIMARY KEY NOT NULL,
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    -- How a service usually is: one row for each service, replaced once a minute.
    CREATE TABLE memories (
        service TEXT PRIMARY KEY NOT NULL,
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];

/// The format that this version of greenlight writes.
pub(crate) fn known() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// The format of a database, by its marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The database has no table and no mark, so it was never written.
    Empty,
    /// The database belongs to another program.
    Foreign,
    Greenlight(u32),
}

/// Reads the format of a database.
pub(crate) fn format(connection: &Connection) -> rusqlite::Result<Format> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, version, tables) {
        (APPLICATION_ID, version, _) if version > 0 => Format::Greenlight(version),
        (0, 0, 0) => Format::Empty,
        _ => Format::Foreign,
    })
}

/// Migrates a database from format `from` to the last of `steps`, in one transaction.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str], from: u32) -> rusqlite::Result<()> {
    let done = usize::try_from(from).unwrap_or(usize::MAX);
    if done >= steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in &steps[done..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", u32::try_from(steps.len()).unwrap_or(u32::MAX))?;
    transaction.commit()
}
