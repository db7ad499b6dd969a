//! The embedded store.

/// SQLite in one folder, locked by this process.
#[derive(Debug)]
pub struct SqliteStore {}
