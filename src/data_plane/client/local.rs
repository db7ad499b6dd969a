//! What a listener answers itself, whatever service the host means: its readiness, ACME's questions,
//! the way to https, and requests that came to the wrong connection.

use crate::clock;
use crate::http1::{Answer, FieldKind, Method, Persistence, RequestHead, TargetForm, host_of, write_answer};
use crate::tls::Challenges;

use super::after::After;
use super::connection::Connection;
use super::listener::{Listener, TlsFacts};
use crate::data_plane::request::record::{Line, Outcome};
use crate::data_plane::worker::chunk::Chunk;

/// Where an ACME server asks (RFC 8555, 8.3).
const ACME_PREFIX: &[u8] = b"/.well-known/acme-challenge/";

/// A request as far as these answers depend on it, of either protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalRequest<'a> {
    pub method: Method,
    /// Path and query; `*` is answered elsewhere.
    pub path: &'a [u8],
    /// As it was sent, with its port; empty: none.
    pub authority: &'a [u8],
    /// A trusted proxy in front says that the client used https already.
    pub used_https: bool,
}

/// An answer of the listener's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Local {
    Ready,
    /// The worker shuts down: a load balancer should look elsewhere.
    Draining,
    /// An HTTP-01 key authorization.
    Challenge(String),
    /// The same request on https.
    Moved {
        location: String,
    },
    /// A redirect is due, and there is no host to name.
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

/// The listener's answer, if the request gets one.
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
    // A challenge that is not ours is an origin's own.
    if facts.redirect_to_https && facts.tls.is_none() && !request.used_https && !path.starts_with(ACME_PREFIX)
    {
        return Some(redirect(listener, request));
    }
    let misdirected = secured.is_some_and(|secured| secured.is_misdirected(request.authority));
    misdirected.then_some(Local::Misdirected)
}

/// 308: method and body are kept. The port is left out, which means 443: ports are often mapped on the
/// way to us. Only a client that named the very port we are bound to is sent to the one that our TLS
/// is bound to: then nothing is mapped.
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

/// Bytes over 0x7F are percent-encoded (RFC 3986, 2.1); control bytes were refused.
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

/// The answer to the HTTP/1 request whose head begins `chunk`. In most cases two comparisons.
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

fn says_https(head: &RequestHead, buf: &[u8]) -> bool {
    let mut said = head.fields.iter().filter(|field| field.kind == FieldKind::XForwardedProto);
    said.next_back().is_some_and(|field| field.value.of(buf).eq_ignore_ascii_case(b"https"))
}

/// Sends it, and writes the request's line.
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
        // A load balancer asks every second: no lines of those.
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
