//! Writes the answers of greenlight itself to the client, and decides whether its connection is kept.

use crate::http1::{Answer, Method, Persistence, RequestFault, Version, write_fault, write_page};

use super::answer::{Own, To};
use crate::data_plane::client::after::After;
use crate::data_plane::client::connection::Connection;

/// Answers bytes that are no request that greenlight serves. They begin with `method`.
pub(crate) async fn refuse(connection: &mut Connection, fault: RequestFault, method: Method) -> After {
    connection.worker.unrouted(fault.status());
    let mut out = Vec::with_capacity(256);
    let hsts = connection.listener.hsts.map(|value| ("Strict-Transport-Security", value));
    let date = connection.worker.date.get();
    let answer = Answer {
        version: Version::Http11,
        method,
        persistence: Persistence::Close,
        date: Some(&date),
        extra: hsts.as_slice(),
    };
    write_fault(fault, &answer, &mut out);
    if connection.send_all(&out).await { After::Linger } else { After::Close }
}

/// Answers a request of which only the beginning has come.
pub(crate) async fn send(connection: &mut Connection, own: &Own) -> After {
    connection.worker.unrouted(own.status);
    reply(connection, own, &To::UNKNOWN, Vec::new()).await.0
}

/// Answers a request, after `unsent` (interim heads that were not written yet). Returns the fate of the
/// connection, and the number of bytes written.
pub(crate) async fn reply(
    connection: &mut Connection,
    own: &Own,
    to: &To<'_>,
    mut unsent: Vec<u8>,
) -> (After, u64) {
    // Bytes behind a request for an upgrade are of that protocol, and are no request.
    let clear = !to.upgrade || connection.ahead.is_empty();
    let keep = own.keeps && to.keep && to.complete && clear && !connection.worker.closing.get();
    write(own, connection, to, keep, &mut unsent);
    if !connection.send_all(&unsent).await {
        return (After::Close, 0);
    }
    let after = match (keep, to.complete) {
        (true, _) => After::Keep,
        (false, true) => After::Close,
        (false, false) => After::Linger,
    };
    (after, unsent.len() as u64)
}

/// Writes an answer of greenlight itself to `out`.
fn write(own: &Own, connection: &Connection, to: &To<'_>, keep: bool, out: &mut Vec<u8>) {
    let mut extra: Vec<(&str, &str)> = Vec::new();
    if own.retry_after {
        extra.push(("Retry-After", "1"));
    }
    if own.allow {
        extra.push(("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    }
    extra.extend(to.extra);
    extra.extend(connection.listener.hsts.map(|value| ("Strict-Transport-Security", value)));
    let date = connection.worker.date.get();
    let answer = Answer {
        version: to.version,
        method: to.method,
        persistence: if keep { Persistence::KeepAlive } else { Persistence::Close },
        date: Some(&date),
        extra: &extra,
    };
    write_page(own.status, own.content(to.settings), &answer, out);
}
