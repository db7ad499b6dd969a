//! Reading the head of a request from a client.

use super::authority::{same_authority, valid_authority};
use super::connection::{Connection, Persistence, list};
use super::fault::RequestFault;
use super::field::{Field, FieldKind};
use super::fields::read_fields;
use super::framing::{Framing, FramingFault, FramingFields};
use super::limits::{EMPTY_LINES_MAX, HeadLimits, METHOD_BYTES_MAX};
use super::method::Method;
use super::peer::Peer;
use super::request_line::{is_token_byte, read_request_line, too_long};
use super::scan::{FirstLine, HeadEnd, HeadScan, ScanFault};
use super::span::Span;
use super::target::Target;
use super::upgrade::{Upgrade, note_upgrade};
use super::version::Version;

/// The progress in a head that is not complete. The default is the start of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadProgress(pub(crate) HeadScan);

/// The head of a request, as ranges over the buffer that it was parsed from. The caller uses one value
/// again for each request of a connection, or of a worker, so that its vectors keep their capacity.
#[derive(Debug, Default)]
pub struct RequestHead {
    /// The method, as far as the door tells methods apart.
    pub method: Method,
    /// The method as it was sent.
    pub method_span: Span,
    /// The request-target.
    pub target: Target,
    /// The version of the request line.
    pub version: Version,
    /// All fields, in the order in which they came.
    pub fields: Vec<Field>,
    /// The `Host`, or the authority of an absolute-form target if an HTTP/1.0 request has no `Host`.
    /// Empty only on HTTP/1.0.
    pub authority: Span,
    /// How long the body is.
    pub framing: Framing,
    /// Whether the client asks to keep the connection. The door may close it all the same.
    pub persistence: Persistence,
    /// Whether the client waits for a 100. It does after `Expect: 100-continue` on HTTP/1.1 with a body.
    pub expect_continue: bool,
    /// The protocol that the client asks to switch to.
    pub upgrade: Upgrade,
    /// Whether the client sent `TE: trailers`.
    pub te_trailers: bool,
    /// Whether `Content-Type` begins with `application/grpc`.
    pub is_grpc: bool,
    pub(crate) connection: Connection,
    scan: HeadScan,
}

impl RequestHead {
    /// Forgets an incomplete head. Call it before the bytes of another connection are parsed.
    pub fn clear(&mut self) {
        self.resume(HeadProgress::default());
    }

    /// The position of the search for the end of an incomplete head. A worker parses the heads of many
    /// connections into one value. It keeps this progress beside the bytes of an incomplete head, so
    /// that it does not search a head that comes slowly from its start each time.
    pub fn progress(&self) -> HeadProgress {
        HeadProgress(self.scan)
    }

    /// Goes on from a progress that [`RequestHead::progress`] returned. The buffer must begin with the
    /// same bytes as then.
    pub fn resume(&mut self, progress: HeadProgress) {
        self.scan = progress.0;
        self.fields.clear();
    }

    /// Whether the client asks to keep the connection.
    pub fn keep_alive(&self) -> bool {
        self.persistence == Persistence::KeepAlive
    }

    /// The value of the first field of this kind.
    pub fn value_of<'b>(&self, buf: &'b [u8], kind: FieldKind) -> Option<&'b [u8]> {
        self.fields.iter().find(|field| field.kind == kind).map(|field| field.value.of(buf))
    }

    /// The `X-Request-Id` of the request, if the peer is trusted and the id is one line of 1 to 128
    /// visible ASCII bytes. Otherwise `None`, and the caller makes a new id.
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

/// Reads the head of a request from the start of `buf` (RFC 9112, 3 to 6).
///
/// Returns `Ok(None)` if more bytes are needed. Call again with the same bytes and more behind them.
/// Returns `Ok(Some(n))` if the head is complete and took the first `n` bytes. Up to two empty lines
/// before the request line are part of the `n` bytes.
///
/// The function allocates nothing for up to 64 fields once the vectors of `head` have grown.
///
/// # Errors
/// The head has no reading or more than one, or is over a limit. A head is refused as soon as it passes
/// a limit, complete or not. The caller must close the connection after an error.
pub fn parse_request(
    buf: &[u8],
    limits: &HeadLimits,
    head: &mut RequestHead,
) -> Result<Option<usize>, RequestFault> {
    let first = FirstLine {
        empty_lines_max: EMPTY_LINES_MAX,
        bytes_max: METHOD_BYTES_MAX + limits.target_bytes_max + 10,
    };
    let scanned = head.scan.advance(buf, first, limits);
    let Ok(None) = scanned else {
        // The head is complete or refused. In both cases the next call begins another head.
        let start = std::mem::take(&mut head.scan).start();
        let end = scanned.map_err(|fault| scan_fault(fault, buf, start, limits))?;
        return end.map(|end| read_head(buf, end, limits, head).map(|()| end.end)).transpose();
    };
    // Bytes that can't become a request are refused at once, such as a TLS handshake on a plain port.
    match head.scan.first_byte(buf) {
        Some(byte) if byte != b'\r' && !is_token_byte(byte) => {
            head.clear();
            Err(RequestFault::RequestLine)
        }
        _ => Ok(None),
    }
}

fn scan_fault(fault: ScanFault, buf: &[u8], start: usize, limits: &HeadLimits) -> RequestFault {
    match fault {
        ScanFault::BareLf => RequestFault::BareLf,
        ScanFault::EmptyLines => RequestFault::EmptyLines,
        ScanFault::FirstLineTooLong => too_long(buf.get(start..).unwrap_or_default(), limits),
        ScanFault::BlockTooLarge => RequestFault::BlockTooLarge,
        ScanFault::TooManyFields => RequestFault::TooManyFields,
    }
}

/// The contents of the fields, before they are checked against each other.
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
        // Without the option `upgrade` in `Connection` the field does not concern this connection (RFC
        // 9110, 7.8). HTTP/1.0 can't upgrade.
        _ if is_old || !head.connection.upgrade => Upgrade::None,
        Upgrade::To(_) if head.framing.has_body() => Upgrade::Stripped,
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
                head.is_grpc |= is_grpc(value);
            }
            _ => {}
        }
    }
    Ok(said)
}

/// The host and port of the request (RFC 9112, 3.2). A request has exactly one valid Host, and an
/// absolute-form target must agree with it. Only HTTP/1.0 may leave out the Host.
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

/// Whether a Content-Type is one of gRPC. All of these begin with `application/grpc`, in any case.
pub fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    content_type.get(..GRPC.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(GRPC))
}
