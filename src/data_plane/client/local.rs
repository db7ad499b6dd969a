//! The answers that a listener gives itself, whatever service the host means. They are its readiness,
//! ACME challenges, the redirect to https, and 421 for requests on the wrong connection.

use crate::clock;
use crate::http1::{Answer, Method, Persistence, TargetForm, host_of, says_https, write_answer};
use crate::tls::Challenges;

use super::after::After;
use super::connection::Connection;
use super::listener::{Listener, TlsFacts};
use crate::data_plane::request::record::{Line, Outcome};
use crate::data_plane::worker::chunk::Chunk;

/// The paths under which an ACME server asks for a challenge (RFC 8555, 8.3).
const ACME_PREFIX: &[u8] = b"/.well-known/acme-challenge/";

/// The part of a request, of either protocol, that these answers depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalRequest<'a> {
    pub method: Method,
    /// Path and query. (`*` is answered elsewhere.)
    pub path: &'a [u8],
    /// The host as the client sent it, with its port; empty if it sent none.
    pub authority: &'a [u8],
    /// A trusted proxy in front says that its client used https already.
    pub used_https: bool,
}

/// An answer that the listener gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Local {
    Ready,
    /// The worker shuts down, so a load balancer should choose another destination.
    Draining,
    /// An HTTP-01 key authorization.
    Challenge(String),
    /// A redirect to the same request on https.
    Moved {
        location: String,
    },
    /// A redirect is due, but the request names no host.
    Hostless,
    Misdirected,
}

impl Local {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Ready | Self::Challenge(_) => 200,
            Self::Moved { .. } => 308,
            Self::Hostless => 400,
            Self::Misdirected => 421,
            Self::Draining => 503,
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Ready => "ready\n",
            Self::Draining => "draining\n",
            Self::Challenge(text) => text,
            Self::Moved { .. } => "use https\n",
            Self::Hostless => "use https, and say which host\n",
            Self::Misdirected => {
                "this connection's certificate is not for this host: use another connection\n"
            }
        }
    }

    pub(crate) fn location(&self) -> Option<&str> {
        match self {
            Self::Moved { location } => Some(location),
            _ => None,
        }
    }
}

/// The listener's answer; `None` if the request is for a service.
pub(crate) fn find(
    listener: &Listener,
    secured: Option<&TlsFacts>,
    challenges: &Challenges,
    closing: bool,
    request: &LocalRequest<'_>,
) -> Option<Local> {
    let facts = &listener.facts;
    let reads = matches!(request.method, Method::Get | Method::Head);
    let path = request.path.split(|byte| *byte == b'?').next().unwrap_or_default();
    if reads && !facts.ready_path.is_empty() && path == facts.ready_path.as_bytes() {
        return Some(if closing { Local::Draining } else { Local::Ready });
    }
    if reads && let Some(text) = challenges.http(path) {
        return Some(Local::Challenge(text));
    }
    // A challenge that greenlight does not know belongs to an origin.
    if facts.redirect_to_https && facts.tls.is_none() && !request.used_https && !path.starts_with(ACME_PREFIX)
    {
        return Some(redirect(listener, request));
    }
    let misdirected = secured.is_some_and(|secured| secured.is_misdirected(request.authority));
    misdirected.then_some(Local::Misdirected)
}

/// A redirect with 308, so that the client keeps method and body. The location has no port, which means
/// 443, because ports are often mapped between the client and greenlight. If the client named the very
/// port that this listener is bound to, nothing is mapped. Only then does the location have the port
/// that greenlight's TLS is bound to.
fn redirect(listener: &Listener, request: &LocalRequest<'_>) -> Local {
    let host = host_of(request.authority);
    if host.is_empty() {
        return Local::Hostless;
    }
    let mut location = String::with_capacity(16 + host.len() + request.path.len());
    location.push_str("https://");
    push_encoded(host, &mut location);
    let named = request.authority.get(host.len()..).and_then(|rest| rest.rsplit(|byte| *byte == b':').next());
    let bound = listener.port.to_string();
    if let Some(port) = listener.facts.https_port
        && port != 443
        && named == Some(bound.as_bytes())
    {
        location.push(':');
        location.push_str(&port.to_string());
    }
    if request.path.first() != Some(&b'/') {
        location.push('/');
    }
    push_encoded(request.path, &mut location);
    Local::Moved { location }
}

/// Percent-encodes bytes over 0x7F (RFC 3986, 2.1). Requests with control bytes were refused before.
fn push_encoded(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        if byte.is_ascii() {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
            }
        }
    }
}

/// The listener's answer to the HTTP/1 request whose head begins `buf`. In most cases this costs a few
/// comparisons.
pub(crate) fn of(connection: &Connection, buf: &[u8]) -> Option<Local> {
    let worker = &connection.worker;
    let (listener, challenges) = (&connection.listener, &worker.parts.challenges);
    if listener.is_silent() && connection.secured.is_none() && !challenges.has_http() {
        return None;
    }
    let head = worker.request_head.borrow();
    if head.target.form == TargetForm::Asterisk {
        return None;
    }
    let request = LocalRequest {
        method: head.method,
        path: head.target.path.of(buf),
        authority: head.authority.of(buf),
        used_https: listener.facts.redirect_to_https && connection.peer.trusted && says_https(&head, buf),
    };
    find(listener, connection.secured.as_deref(), challenges, worker.closing.get(), &request)
}

/// Sends the answer, and writes the request's line in the access log.
pub(crate) async fn answer(
    connection: &mut Connection,
    mut chunk: Chunk,
    head_bytes: usize,
    local: &Local,
) -> After {
    let began = clock::instant();
    let (bytes, keep, complete, line) = {
        let worker = &connection.worker;
        let head = worker.request_head.borrow();
        let complete = !head.framing.has_body();
        // A load balancer asks for readiness every second, so these requests get no lines.
        let logged = worker.parts.access.is_on() && !matches!(local, Local::Ready | Local::Draining);
        let line = logged.then(|| Box::new(Line::new(&head, chunk.data(), connection.peer.address, b"")));
        let keep = complete && head.keep_alive() && !worker.closing.get() && *local != Local::Hostless;
        let hsts = connection.listener.hsts.map(|value| ("Strict-Transport-Security", value));
        let location = local.location().map(|location| ("Location", location));
        let extra: Vec<(&str, &str)> = hsts.into_iter().chain(location).collect();
        let date = worker.date.get();
        let answer = Answer {
            version: head.version,
            method: head.method,
            persistence: if keep { Persistence::KeepAlive } else { Persistence::Close },
            date: Some(&date),
            extra: &extra,
        };
        let mut out = Vec::with_capacity(512);
        write_answer(local.status(), local.text().as_bytes(), &answer, &mut out);
        (out, keep, complete, line)
    };
    connection.worker.unrouted(local.status());
    if complete {
        chunk.consume(head_bytes);
        connection.ahead.extend_from_slice(chunk.data());
    }
    drop(chunk);
    let sent = connection.send_all(&bytes).await;
    let after = match (sent, keep, complete) {
        (true, true, _) => After::Keep,
        (true, false, false) => After::Linger,
        (false, ..) | (true, false, true) => After::Close,
    };
    if let Some(line) = line {
        let outcome = Outcome::answered(after, local.status(), bytes.len() as u64);
        line.write(&connection.worker.parts.access, None, &outcome, clock::instant().duration_since(began));
    }
    after
}
