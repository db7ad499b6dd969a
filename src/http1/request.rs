//! A request's head.

use super::authority::{same_authority, valid_authority};
use super::connection::{Connection, Persistence, list};
use super::fault::RequestFault;
use super::field::{Field, FieldKind};
use super::fields::read_fields;
use super::framing::{Framing, FramingFault, FramingFields};
use super::limits::{EMPTY_LINES_MAX, HeadLimits, METHOD_BYTES_MAX};
use super::peer::{Peer, Scheme};
use super::request_line::{is_token_byte, read_request_line, too_long};
use super::scan::{FirstLine, HeadEnd, HeadScan, ScanFault};
use super::span::Span;

/// The versions that are spoken here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    Http10,
    #[default]
    Http11,
}

/// Methods that a proxy must tell apart; the rest passes as [`Method::Other`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Other,
    /// CONNECT and TRACE, in any case: never seen outside the parser.
    Refused,
}

impl Method {
    /// Methods are case-sensitive (RFC 9110, 9.1); only the refused ones are known in any case, so
    /// that no origin takes `trace` for what it isn't meant to be.
    pub fn of(method: &[u8]) -> Self {
        match method {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            other if other.eq_ignore_ascii_case(b"CONNECT") || other.eq_ignore_ascii_case(b"TRACE") => {
                Self::Refused
            }
            _ => Self::Other,
        }
    }

    /// GET, HEAD and OPTIONS: what may be sent twice, when it has no body.
    pub const fn is_replayable(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

/// The form a request-target came in (RFC 9112, 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetForm {
    #[default]
    Origin,
    /// Goes on in origin-form.
    Absolute,
    /// `OPTIONS *`, or `OPTIONS http://host`: ours to answer.
    Asterisk,
}

/// A request-target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub form: TargetForm,
    /// Path and query as they were sent. In absolute-form it may be empty or begin with `?`; a
    /// `/` then goes in front.
    pub path: Span,
    /// Absolute-form's authority, else empty.
    pub authority: Span,
    /// Absolute-form's scheme.
    pub scheme: Scheme,
    /// Has bytes over 0x7F, which go on percent-encoded.
    pub needs_encoding: bool,
}

/// What a request asks to switch to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    #[default]
    None,
    /// Asked for h2c, TLS or another thing of this hop alone, or has a body: goes on as a plain
    /// request.
    Stripped,
    /// The protocol asked for, e.g. `websocket`; the request has no body.
    Asked(Span),
}

/// A request's head: ranges over the buffer it was parsed from. Used again for each request of a
/// connection, or of a worker; its vectors keep their room.
#[derive(Debug, Default)]
pub struct RequestHead {
    pub method: Method,
    /// The method as it was sent.
    pub method_span: Span,
    pub target: Target,
    pub version: Version,
    /// In the order they came, all of them.
    pub fields: Vec<Field>,
    /// `Host`, or the authority of an absolute-form target; empty only on HTTP/1.0.
    pub authority: Span,
    pub framing: Framing,
    /// What the client asks for; we may close all the same.
    pub persistence: Persistence,
    /// An `Expect: 100-continue` that waits: HTTP/1.1 with a body.
    pub expect_continue: bool,
    pub upgrade: Upgrade,
    /// `TE: trailers` was sent.
    pub te_trailers: bool,
    /// `Content-Type` begins with `application/grpc`.
    pub is_grpc: bool,
    pub(super) connection: Connection,
    scan: HeadScan,
}

impl RequestHead {
    /// Forgets a head that was begun: for a new connection, or when the buffer is moved.
    pub fn clear(&mut self) {
        self.scan = HeadScan::default();
        self.fields.clear();
    }

    pub fn keep_alive(&self) -> bool {
        self.persistence == Persistence::KeepAlive
    }

    /// Whether this request may be sent a second time at all: GET, HEAD or OPTIONS without a body.
    pub fn is_replayable(&self) -> bool {
        self.method.is_replayable() && self.framing == Framing::None
    }

    /// The first field of this kind.
    pub fn value_of<'b>(&self, buf: &'b [u8], kind: FieldKind) -> Option<&'b [u8]> {
        self.fields.iter().find(|field| field.kind == kind).map(|field| field.value.of(buf))
    }

    /// The client's `X-Request-Id`, if its peer is trusted and it is one line of 1 to 128 visible
    /// ASCII bytes. Otherwise the caller makes one.
    pub fn kept_request_id<'b>(&self, buf: &'b [u8], peer: &Peer) -> Option<&'b [u8]> {
        if !peer.trusted {
            return None;
        }
        let mut ids = self.fields.iter().filter(|field| field.kind == FieldKind::XRequestId);
        let id = ids.next()?.value.of(buf);
        let fits = (1..=128).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
        (fits && ids.next().is_none()).then_some(id)
    }
}

impl From<FramingFault> for RequestFault {
    fn from(fault: FramingFault) -> Self {
        match fault {
            FramingFault::LengthWithCoding => Self::LengthWithCoding,
            FramingFault::LengthRepeated => Self::LengthRepeated,
            FramingFault::Length => Self::Length,
            FramingFault::CodingInOld => Self::CodingInOld,
            FramingFault::Coding => Self::Coding,
        }
    }
}

/// Reads a request's head from the start of `buf`. `Ok(None)`: more bytes are needed; call again
/// with the same bytes and more behind them. `Ok(Some(n))`: the head took the first `n` bytes, up
/// to two empty lines before it included.
///
/// A head is refused as soon as it is over a limit, complete or not. After an error the connection
/// is to be closed. Allocates nothing once `head` is warm (up to 64 fields).
pub fn parse_request(
    buf: &[u8],
    limits: &HeadLimits,
    head: &mut RequestHead,
) -> Result<Option<usize>, RequestFault> {
    let first = FirstLine {
        empty_lines_max: EMPTY_LINES_MAX,
        bytes_max: METHOD_BYTES_MAX + limits.target_bytes_max + 10,
    };
    let end = match head.scan.advance(buf, first, limits) {
        Ok(Some(end)) => end,
        Ok(None) => {
            // What can't become a request (TLS on a plain port) is refused at once.
            return match head.scan.first_byte(buf) {
                Some(byte) if byte != b'\r' && !is_token_byte(byte) => Err(RequestFault::RequestLine),
                _ => Ok(None),
            };
        }
        Err(fault) => return Err(scan_fault(fault, buf, head.scan.start(), limits)),
    };
    head.scan = HeadScan::default();
    read_head(buf, end, limits, head)?;
    Ok(Some(end.end))
}

fn scan_fault(fault: ScanFault, buf: &[u8], start: usize, limits: &HeadLimits) -> RequestFault {
    match fault {
        ScanFault::BareLf => RequestFault::BareLf,
        ScanFault::EmptyLines => RequestFault::EmptyLines,
        ScanFault::FirstLineTooLong => too_long(&buf[start..], limits),
        ScanFault::BlockTooLarge => RequestFault::BlockTooLarge,
        ScanFault::TooManyFields => RequestFault::TooManyFields,
    }
}

/// What the fields say, before it is weighed.
#[derive(Debug, Default)]
struct Said {
    framing: FramingFields,
    host: Option<Span>,
    host_repeated: bool,
    expects: bool,
    expects_unknown: bool,
    upgrade: Upgrade,
}

fn read_head(
    buf: &[u8],
    end: HeadEnd,
    limits: &HeadLimits,
    head: &mut RequestHead,
) -> Result<(), RequestFault> {
    let line = read_request_line(buf, end.start, end.block_start - 2, limits)?;
    head.method = line.method;
    head.method_span = line.method_span;
    head.target = line.target;
    head.version = line.version;
    read_fields(buf, end, &mut head.fields)?;
    let said = weigh_fields(buf, head)?;
    let is_old = head.version == Version::Http10;

    head.framing = match said.framing.settle(is_old)? {
        (_, true) => Framing::Chunked,
        (Some(length), false) => Framing::Length(length),
        (None, false) => Framing::None,
    };
    head.authority = authority(buf, head, &said)?;
    head.persistence = head.connection.persistence(head.version);
    if said.expects_unknown && !is_old {
        return Err(RequestFault::Expectation);
    }
    head.expect_continue = said.expects && !is_old && head.framing.has_body();
    head.upgrade = match said.upgrade {
        // Without the option the field is not for us (RFC 9110, 7.8); 1.0 can't upgrade.
        _ if is_old || !head.connection.upgrade => Upgrade::None,
        Upgrade::Asked(_) if head.framing.has_body() => Upgrade::Stripped,
        upgrade => upgrade,
    };
    Ok(())
}

fn weigh_fields(buf: &[u8], head: &mut RequestHead) -> Result<Said, RequestFault> {
    let mut said = Said::default();
    head.connection.clear();
    head.te_trailers = false;
    head.is_grpc = false;
    for field in &head.fields {
        let value = field.value.of(buf);
        match field.kind {
            FieldKind::Host => {
                said.host_repeated |= said.host.is_some();
                said.host = Some(field.value);
            }
            FieldKind::ContentLength => said.framing.length(value),
            FieldKind::TransferEncoding => said.framing.coding(value),
            FieldKind::Connection => {
                head.connection.read(buf, field.value).map_err(|_| RequestFault::ConnectionOptions)?;
            }
            FieldKind::Expect => {
                let known = value.eq_ignore_ascii_case(b"100-continue");
                said.expects |= known;
                said.expects_unknown |= !known;
            }
            FieldKind::Upgrade => note_upgrade(buf, field.value, &mut said.upgrade),
            FieldKind::Te => {
                head.te_trailers |=
                    list(buf, field.value).any(|item| item.of(buf).eq_ignore_ascii_case(b"trailers"));
            }
            FieldKind::ContentType => {
                const GRPC: &[u8] = b"application/grpc";
                head.is_grpc |= value.get(..GRPC.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(GRPC));
            }
            _ => {}
        }
    }
    Ok(said)
}

/// Takes the first protocol that is not of this hop alone.
fn note_upgrade(buf: &[u8], value: Span, upgrade: &mut Upgrade) {
    for token in list(buf, value) {
        if matches!(upgrade, Upgrade::Asked(_)) {
            return;
        }
        *upgrade = if is_of_this_hop(token.of(buf)) { Upgrade::Stripped } else { Upgrade::Asked(token) };
    }
}

/// h2c and h2 (RFC 9113, 3.1), TLS (RFC 2817) and HTTP itself: what is spoken on this connection
/// is not the origin's to change.
fn is_of_this_hop(token: &[u8]) -> bool {
    let name = token.split(|&byte| byte == b'/').next().unwrap_or_default();
    [b"h2c".as_slice(), b"h2", b"tls", b"http"].iter().any(|own| name.eq_ignore_ascii_case(own))
        || !token.iter().all(|&byte| is_token_byte(byte) || byte == b'/')
}

/// RFC 9112, 3.2: one valid Host, which an absolute-form target has to agree with.
fn authority(buf: &[u8], head: &RequestHead, said: &Said) -> Result<Span, RequestFault> {
    if said.host_repeated {
        return Err(RequestFault::HostRepeated);
    }
    let target = &head.target;
    match said.host {
        Some(host) if !valid_authority(host.of(buf)) => Err(RequestFault::Host),
        Some(host) if target.authority.is_empty() => Ok(host),
        Some(host) => {
            let same = same_authority(host.of(buf), target.authority.of(buf), target.scheme.default_port());
            if same { Ok(host) } else { Err(RequestFault::AuthorityDiffers) }
        }
        None if head.version == Version::Http11 => Err(RequestFault::HostMissing),
        None => Ok(target.authority),
    }
}
