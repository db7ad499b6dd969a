//! One request: its head is read, its service is found, an endpoint answers it, and it is counted.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::clock;
use crate::http1::{
    FieldKind, Forward, Framing, RequestHead, Sending, TargetForm, client_address, write_request,
};
use crate::judge::{ClientKey, RouteTemplate};
use crate::model::Color;

use super::answer::{Own, To};
use super::call::{Call, Request};
use super::copy_loop::{CopyEnd, CopyLoop};
use super::facts::Facts;
use super::record::{Line, Outcome};
use super::{affinity, attempt, reply};
use crate::data_plane::client::after::After;
use crate::data_plane::client::connection::Connection;
use crate::data_plane::client::{local, preview};
use crate::data_plane::worker::chunk::Chunk;
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::view::{ServiceView, Target};

/// The room for a request's head towards the origin; most heads fit.
const HEAD_BYTES: usize = 1024;

/// A request that greenlight answers itself at once.
struct Refusal {
    own: Own,
    to: To<'static>,
    line: Option<Box<Line>>,
    /// The service and color that the request counts for.
    service: Option<(Rc<ServiceView>, Color)>,
}

/// Serves a request. Its head is the first `head_bytes` of `chunk`, and is parsed in the worker's
/// `request_head`.
pub(crate) async fn serve(connection: &mut Connection, chunk: Chunk, head_bytes: usize) -> After {
    if let Some(local) = local::of(connection, chunk.data()) {
        return local::answer(connection, chunk, head_bytes, &local).await;
    }
    let began = clock::instant();
    let mut request = match prepare(connection, chunk, head_bytes, began) {
        Ok(request) => request,
        Err(refusal) => return refuse(connection, *refusal, began).await,
    };
    let outcome = attempt::run(connection, &mut request).await;
    finish(connection, &request, &outcome)
}

/// Does everything that needs the head, in one turn of the loop. Afterwards nothing refers to the
/// head's bytes.
fn prepare(
    connection: &mut Connection,
    mut chunk: Chunk,
    head_bytes: usize,
    began: Instant,
) -> Result<Request, Box<Refusal>> {
    let worker = Rc::clone(&connection.worker);
    let head = worker.request_head.borrow();
    let buf = chunk.data();
    let address = client_address(&head, buf, &connection.peer, &worker.parts.trusted_proxies);
    let mut fresh = [0; 32];
    let request_id = head.kept_request_id(buf, &connection.peer).unwrap_or_else(|| {
        write_id(worker.random(), worker.random(), &mut fresh);
        &fresh
    });
    let line = worker.parts.access.is_on().then(|| Box::new(Line::new(&head, buf, address, request_id)));
    let found = match find(&worker, &head, buf, address) {
        Ok(found) => found,
        Err((own, found)) => {
            let complete = !head.framing.has_body();
            let to = To::head(&head, complete);
            let service = found.map(|found| {
                let color = found.preview.unwrap_or(found.service.route.active);
                (found.service, color)
            });
            drop(head);
            if complete {
                chunk.consume(head_bytes);
                connection.ahead.extend_from_slice(chunk.data());
            }
            return Err(Box::new(Refusal { own, to, line, service }));
        }
    };
    let Target { service, preview } = found;
    let settings = &service.route.settings;
    let facts = Facts { hsts: connection.listener.hsts, ..Facts::new(&head, buf, settings) };
    let exact = service.route.hosts.iter().find(|host| !host.starts_with('*'));
    let fallback_host = exact.map_or(&b"localhost"[..], |host| host.as_bytes());
    let forward = Forward {
        peer: &connection.peer,
        real_ip: address,
        fallback_host,
        request_id,
        upgrade: facts.upgrade.is_some(),
    };
    let route = RouteTemplate::new(head.method_span.of(buf), head.target.path.of(buf));
    let mut out = Vec::with_capacity(HEAD_BYTES);
    write_request(&head, buf, &forward, &mut out);
    let sending = match head.framing {
        Framing::None | Framing::ToEnd => Sending::Nothing,
        Framing::Length(_) => Sending::Raw,
        Framing::Chunked => Sending::Chunked,
    };
    let mut upload = CopyLoop::new(out, head.framing, sending, &worker.head_limits, settings.body_bytes_max);
    upload.pass_trailers(facts.trailers);
    let affinity = settings.affinity.then(|| affinity::named(&head, buf)).flatten();
    drop(head);
    chunk.consume(head_bytes);
    if facts.has_body {
        upload.give(chunk);
    } else {
        connection.ahead.extend_from_slice(chunk.data());
    }
    if let Err(end) = upload.prepare() {
        let own = match end {
            CopyEnd::Malformed(fault) => Own::bad_body(fault),
            _ => Own::BODY_TOO_LARGE,
        };
        let color = preview.unwrap_or(service.route.active);
        let to = To::request(&facts, false);
        return Err(Box::new(Refusal { own, to, line, service: Some((service, color)) }));
    }
    service.cell.began(worker.ticks.now());
    let call = Call {
        service,
        preview,
        client: client_key(address),
        route,
        repeatable: facts.is_replayable(),
        affinity,
        permit: None,
    };
    Ok(Request { facts, call, upload, began, line })
}

/// Finds the service of a request.
///
/// # Errors
/// The request goes to no service. The error is its answer, with the service that it is counted for.
fn find(
    worker: &Worker,
    head: &RequestHead,
    buf: &[u8],
    address: IpAddr,
) -> Result<Target, (Own, Option<Target>)> {
    if head.target.form == TargetForm::Asterisk {
        return Err((Own::OPTIONS, None));
    }
    let host = head.authority.of(buf);
    worker.refresh();
    let found = worker.view.find_hook(head.target.path.of(buf));
    let found = found.or_else(|| worker.view.find(Some(host).filter(|host| !host.is_empty())));
    let found = found.ok_or((Own::NO_SERVICE, None))?;
    let settings = &found.service.route.settings;
    let token = || head.value_of(buf, FieldKind::PreviewToken);
    if found.preview.is_some() && !preview::is_shown(settings, address, token) {
        // A client that may not see the preview is told that the host does not exist.
        return Err((Own::NO_SERVICE, None));
    }
    match head.framing {
        Framing::Length(length) if settings.body_bytes_max > 0 && length > settings.body_bytes_max => {
            Err((Own::BODY_TOO_LARGE, Some(found)))
        }
        _ => Ok(found),
    }
}

async fn refuse(connection: &mut Connection, refusal: Refusal, began: Instant) -> After {
    let Refusal { own, to, line, service } = refusal;
    let settings = service.as_ref().map(|(service, _)| Arc::clone(&service.route.settings));
    let to = To { settings: settings.as_deref(), ..to };
    let (after, bytes) = reply::reply(connection, &own, &to, Vec::new()).await;
    let duration = clock::instant().duration_since(began);
    if let Some((service, color)) = &service {
        service.cell.colors[*color].answered(Some(own.status), duration);
    } else {
        connection.worker.unrouted(own.status);
    }
    if let Some(line) = line {
        let mut outcome = Outcome::answered(after, own.status, bytes);
        outcome.cause = Some(own.text);
        outcome.color = service.as_ref().map(|(_, color)| *color);
        line.write(
            &connection.worker.parts.access,
            service.as_ref().map(|(service, _)| service.route.name.as_str()),
            &outcome,
            duration,
        );
    }
    after
}

/// Counts the request and writes its line in the access log.
fn finish(connection: &Connection, request: &Request, outcome: &Outcome) -> After {
    let duration = clock::instant().duration_since(request.began);
    let color = outcome.color.unwrap_or(request.call.service.route.active);
    request.call.service.cell.colors[color].answered(outcome.status, duration);
    if let Some(line) = &request.line {
        let access = &connection.worker.parts.access;
        line.write(access, Some(request.call.service.route.name.as_str()), outcome, duration);
    }
    outcome.after
}

/// Writes a request id: 128 random bits in hex.
fn write_id(high: u64, low: u64, out: &mut [u8; 32]) {
    let bits = (u128::from(high) << 64) | u128::from(low);
    for (index, byte) in out.iter_mut().enumerate() {
        let nibble = (bits >> (124 - 4 * index)) & 15;
        *byte = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or(0)];
    }
}

/// The key of a client: its IPv4 address, or the /64 of its IPv6 address. The same client has the same key in every worker. (The function is a
/// finalizer of `splitmix64`, since addresses differ in their last bits and keys should differ in all.)
pub(crate) fn client_key(address: IpAddr) -> ClientKey {
    let bits = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(four) => u128::from(four.to_bits()),
            // A host has a whole /64 (RFC 4291, 2.5.1) and may change its address in it at will (RFC 8981).
            None => address.to_bits() >> 64 << 64,
        },
    };
    let folded = u64::try_from(bits >> 64).unwrap_or(0).rotate_left(32)
        ^ u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    let mut key = folded.wrapping_add(0x9e37_79b9_7f4a_7c15);
    key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}
