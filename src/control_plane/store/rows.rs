//! The SQL statements: the reads and writes of each table, and the pruning that comes with the
//! writes.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use crate::model::{ReleaseId, Revision, ServiceName};

use super::{StoredEvent, StoredExhibit, StoredRecord, StoredRelease};

/// How many releases of each service are kept. The oldest are removed first, together with their
/// events.
pub const RELEASES_PER_SERVICE_MAX: u32 = 1_000;
/// How many releases of each service keep their exhibits. The newest keep them.
pub const EXHIBITED_PER_SERVICE_MAX: u32 = 100;
/// How many lines of one release's story are kept. The oldest are removed first.
pub const EVENTS_PER_RELEASE_MAX: u32 = 2_000;
/// How many lines of all stories together are kept.
pub const EVENTS_MAX: u32 = 200_000;
/// How many lines of the audit log are kept, over all services.
pub const AUDIT_ROWS_MAX: u32 = 100_000;
/// The length of the longest record, in bytes of JSON.
pub const RECORD_BYTES_MAX: usize = 4 << 20;
/// The most rows that one call returns, whatever limit it gives.
const ROWS_MAX: usize = 10_000;

/// The result of a compare-and-swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swap {
    Written(Revision),
    Conflict { found: u64 },
}

/// Converts to SQLite's signed integers. The store's numbers count up from 0 and never come near
/// the maximum.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit.min(ROWS_MAX)).unwrap_or(i64::MAX)
}

pub(crate) fn load(db: &Connection, service: &ServiceName) -> rusqlite::Result<Option<StoredRecord>> {
    db.prepare_cached("SELECT revision, record FROM services WHERE name = ?1")?
        .query_row([service.as_str()], |row| {
            Ok(StoredRecord { revision: Revision(unsigned(row.get(0)?)), json: row.get(1)? })
        })
        .optional()
}

pub(crate) fn compare_and_swap(
    db: &mut Connection,
    service: &ServiceName,
    expected: Revision,
    json: &str,
    releases: &[StoredRelease],
) -> rusqlite::Result<Swap> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = transaction
        .prepare_cached("SELECT revision FROM services WHERE name = ?1")?
        .query_row([service.as_str()], |row| row.get::<_, i64>(0))
        .optional()?
        .map_or(0, unsigned);
    if found != expected.0 {
        return Ok(Swap::Conflict { found });
    }
    let next = Revision(found + 1);
    transaction
        .prepare_cached(
            "INSERT INTO services (name, revision, record) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, record = excluded.record",
        )?
        .execute((service.as_str(), signed(next.0), json))?;
    for release in releases {
        write_release(&transaction, release)?;
    }
    // The first decision on a store that replaced a damaged one makes its content authoritative.
    transaction.prepare_cached("DELETE FROM recovery")?.execute([])?;
    transaction.commit()?;
    Ok(Swap::Written(next))
}

fn write_release(db: &Connection, release: &StoredRelease) -> rusqlite::Result<()> {
    let known = db
        .prepare_cached("UPDATE releases SET record = ?2 WHERE id = ?1")?
        .execute((release.id.as_str(), &release.json))?;
    if known > 0 {
        return Ok(());
    }
    let service = release.service.as_str();
    db.prepare_cached("INSERT INTO releases (id, service, record) VALUES (?1, ?2, ?3)")?.execute((
        release.id.as_str(),
        service,
        &release.json,
    ))?;
    let oldest_gone = "SELECT seq FROM releases WHERE service = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
    db.prepare_cached(&format!(
        "DELETE FROM events WHERE release IN
         (SELECT id FROM releases WHERE service = ?1 AND seq <= ({oldest_gone}))"
    ))?
    .execute((service, RELEASES_PER_SERVICE_MAX))?;
    db.prepare_cached(&format!(
        "DELETE FROM exhibits WHERE release IN
         (SELECT id FROM releases WHERE service = ?1 AND seq <= ({oldest_gone}))"
    ))?
    .execute((service, EXHIBITED_PER_SERVICE_MAX))?;
    db.prepare_cached(&format!("DELETE FROM releases WHERE service = ?1 AND seq <= ({oldest_gone})"))?
        .execute((service, RELEASES_PER_SERVICE_MAX))
        .map(drop)
}

pub(crate) fn append(db: &mut Connection, release: &ReleaseId, json: &str) -> rusqlite::Result<u64> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction
        .prepare_cached("INSERT INTO events (release, record) VALUES (?1, ?2)")?
        .execute((release.as_str(), json))?;
    let seq = transaction.last_insert_rowid();
    transaction
        .prepare_cached(
            "DELETE FROM events WHERE release = ?1 AND seq <=
             (SELECT seq FROM events WHERE release = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute((release.as_str(), EVENTS_PER_RELEASE_MAX))?;
    transaction
        .prepare_cached("DELETE FROM events WHERE seq <= ?1")?
        .execute([seq - i64::from(EVENTS_MAX)])?;
    transaction.commit()?;
    Ok(unsigned(seq))
}

pub(crate) fn events(
    db: &Connection,
    release: &ReleaseId,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<StoredEvent>> {
    db.prepare_cached("SELECT seq, record FROM events WHERE release = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?
        .query_map((release.as_str(), signed(after), at_most(limit)), |row| {
            Ok(StoredEvent { seq: unsigned(row.get(0)?), release: release.clone(), json: row.get(1)? })
        })?
        .collect()
}

pub(crate) fn exhibit(db: &Connection, release: &ReleaseId, name: &str, json: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO exhibits (release, name, record) VALUES (?1, ?2, ?3)
         ON CONFLICT (release, name) DO UPDATE SET record = excluded.record",
    )?
    .execute((release.as_str(), name, json))
    .map(drop)
}

pub(crate) fn exhibits(db: &Connection, release: &ReleaseId) -> rusqlite::Result<Vec<StoredExhibit>> {
    db.prepare_cached("SELECT name, record FROM exhibits WHERE release = ?1 ORDER BY name LIMIT ?2")?
        .query_map((release.as_str(), at_most(ROWS_MAX)), |row| {
            Ok(StoredExhibit { name: row.get(0)?, json: row.get(1)? })
        })?
        .collect()
}

pub(crate) fn keep_memory(db: &Connection, service: &ServiceName, json: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO memories (service, record) VALUES (?1, ?2)
         ON CONFLICT (service) DO UPDATE SET record = excluded.record",
    )?
    .execute((service.as_str(), json))
    .map(drop)
}

pub(crate) fn memory(db: &Connection, service: &ServiceName) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT record FROM memories WHERE service = ?1")?
        .query_row([service.as_str()], |row| row.get(0))
        .optional()
}

pub(crate) fn keep_credential(db: &Connection, name: &str, json: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO credentials (name, record) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET record = excluded.record",
    )?
    .execute((name, json))
    .map(drop)
}

pub(crate) fn credential(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT record FROM credentials WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn stored_release(row: &Row<'_>) -> rusqlite::Result<StoredRelease> {
    Ok(StoredRelease {
        id: ReleaseId::new(row.get::<_, String>(0)?),
        service: ServiceName::new(row.get::<_, String>(1)?),
        json: row.get(2)?,
    })
}

pub(crate) fn release(db: &Connection, id: &ReleaseId) -> rusqlite::Result<Option<StoredRelease>> {
    db.prepare_cached("SELECT id, service, record FROM releases WHERE id = ?1")?
        .query_row([id.as_str()], stored_release)
        .optional()
}

pub(crate) fn history(
    db: &Connection,
    service: &ServiceName,
    limit: usize,
) -> rusqlite::Result<Vec<StoredRelease>> {
    db.prepare_cached(
        "SELECT id, service, record FROM releases WHERE service = ?1 ORDER BY seq DESC LIMIT ?2",
    )?
    .query_map((service.as_str(), at_most(limit)), stored_release)?
    .collect()
}

pub(crate) fn audit(db: &mut Connection, service: &ServiceName, json: &str) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction
        .prepare_cached("INSERT INTO audit (service, record) VALUES (?1, ?2)")?
        .execute((service.as_str(), json))?;
    let seq = transaction.last_insert_rowid();
    transaction
        .prepare_cached("DELETE FROM audit WHERE seq <= ?1")?
        .execute([seq - i64::from(AUDIT_ROWS_MAX)])?;
    transaction.commit()
}

pub(crate) fn audit_log(
    db: &Connection,
    service: &ServiceName,
    limit: usize,
) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT record FROM audit WHERE service = ?1 ORDER BY seq DESC LIMIT ?2")?
        .query_map((service.as_str(), at_most(limit)), |row| row.get(0))?
        .collect()
}

/// Reads why this store replaced a damaged one, if no record has been written since. The flag is
/// true if all records were lost; the text is the reason.
pub(crate) fn recovery(db: &Connection) -> rusqlite::Result<Option<(bool, String)>> {
    db.query_row("SELECT lost, why FROM recovery", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}
