//! Reading the head of a response from an origin.

use super::connection::{Connection, Persistence};
use super::fault::ResponseFault;
use super::field::{Field, FieldKind};
use super::fields::read_fields;
use super::framing::{Framing, FramingFault, FramingFields};
use super::limits::{HeadLimits, INFORMATIONAL_BYTES_MAX};
use super::method::Method;
use super::request::{HeadProgress, RequestHead};
use super::scan::{FirstLine, HeadEnd, HeadScan, ScanFault};
use super::span::Span;
use super::status_line::read_status_line;
use super::upgrade::Upgrade;
use super::version::Version;

/// The longest status line, in bytes.
const STATUS_LINE_BYTES_MAX: usize = 8 * 1024;

/// The facts about a request that decide what its response means.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The method of the request.
    pub method: Method,
    /// The protocol that the door asked the origin to switch to, if it did.
    pub upgrade: Option<&'a [u8]>,
}

impl<'a> RequestContext<'a> {
    /// The facts of a request that the door wrote with `forwarded_upgrade` as
    /// [`super::Forward::upgrade`].
    pub fn of(head: &RequestHead, buf: &'a [u8], forwarded_upgrade: bool) -> Self {
        let upgrade = match head.upgrade {
            Upgrade::To(protocol) if forwarded_upgrade => Some(protocol.of(buf)),
            _ => None,
        };
        Self { method: head.method, upgrade }
    }
}

/// The role of a response in its exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseClass {
    /// A 1xx other than 101. Another head follows.
    Informational,
    /// A 101 that switches to the protocol that the door asked for. A tunnel follows.
    Switching,
    /// The response that ends the exchange. Its body follows, if it has one.
    #[default]
    Final,
}

/// The head of a response, as ranges over the buffer that it was parsed from. The caller uses one value
/// again for many responses, like [`RequestHead`].
#[derive(Debug, Default)]
pub struct ResponseHead {
    /// The version of the origin's status line.
    pub version: Version,
    /// The status code, 100 to 999.
    pub status: u16,
    /// The reason phrase. It may be empty.
    pub reason: Span,
    /// All fields, in the order in which they came.
    pub fields: Vec<Field>,
    /// The role of this response in its exchange.
    pub class: ResponseClass,
    /// How long the body is.
    pub framing: Framing,
    /// The Content-Length that the origin sent, in bytes. On an answer to HEAD and on a 304 it is not
    /// the length of a body that follows.
    pub content_length: Option<u64>,
    /// Whether the origin keeps the connection. [`ResponseHead::reusable`] asks for more than this.
    pub persistence: Persistence,
    /// Whether the head has a `Date`.
    pub has_date: bool,
    /// The value of the one `Upgrade` line. Empty if there is no such line, or more than one.
    pub upgrade: Span,
    pub(crate) connection: Connection,
    scan: HeadScan,
    /// The bytes of the interim heads of this exchange.
    informational: usize,
}

impl ResponseHead {
    /// Begins a new exchange. Forgets the progress of an incomplete head and the bytes of interim
    /// responses.
    pub fn clear(&mut self) {
        self.scan = HeadScan::default();
        self.fields.clear();
        self.informational = 0;
    }

    /// The progress in an incomplete head, for the use that [`RequestHead::progress`] describes.
    pub fn progress(&self) -> HeadProgress {
        HeadProgress(self.scan)
    }

    /// Goes on from a progress that [`ResponseHead::progress`] returned. The buffer must begin with the
    /// same bytes as then.
    pub fn resume(&mut self, progress: HeadProgress) {
        self.scan = progress.0;
        self.fields.clear();
    }

    /// Whether the head allows the door to use the origin's connection again. It does if the origin
    /// keeps the connection and the end of the response can be seen. The caller must also check that
    /// both bodies are complete and that no byte is left over.
    pub fn reusable(&self) -> bool {
        self.class == ResponseClass::Final
            && self.persistence == Persistence::KeepAlive
            && self.framing != Framing::ToEnd
    }

    /// The value of the first field of this kind.
    pub fn value_of<'b>(&self, buf: &'b [u8], kind: FieldKind) -> Option<&'b [u8]> {
        self.fields.iter().find(|field| field.kind == kind).map(|field| field.value.of(buf))
    }

    /// The value of the first field with this name, in any case.
    pub fn value_named<'b>(&self, buf: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
        let field = self.fields.iter().find(|field| field.name.of(buf).eq_ignore_ascii_case(name))?;
        Some(field.value.of(buf))
    }
}

impl From<FramingFault> for ResponseFault {
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

impl From<ScanFault> for ResponseFault {
    fn from(fault: ScanFault) -> Self {
        match fault {
            ScanFault::BareLf => Self::BareLf,
            ScanFault::EmptyLines => Self::StatusLine,
            ScanFault::FirstLineTooLong | ScanFault::BlockTooLarge => Self::BlockTooLarge,
            ScanFault::TooManyFields => Self::TooManyFields,
        }
    }
}

/// Reads the head of a response from the start of `buf` (RFC 9112, 4 to 6). The usual limits are
/// [`HeadLimits::RESPONSE`].
///
/// Returns `Ok(None)` if more bytes are needed. Returns `Ok(Some(n))` if the head is complete and took
/// the first `n` bytes. After a head of [`ResponseClass::Informational`], call again with the bytes
/// behind it.
///
/// # Errors
/// The head has no reading or more than one, or is over a limit. The limit of
/// [`INFORMATIONAL_BYTES_MAX`] holds for all interim responses of an exchange together.
pub fn parse_response(
    buf: &[u8],
    request: &RequestContext<'_>,
    limits: &HeadLimits,
    head: &mut ResponseHead,
) -> Result<Option<usize>, ResponseFault> {
    let first = FirstLine { empty_lines_max: 0, bytes_max: STATUS_LINE_BYTES_MAX };
    let scanned = head.scan.advance(buf, first, limits);
    let Ok(None) = scanned else {
        // The head is complete or refused. In both cases the next call begins another head.
        head.scan = HeadScan::default();
        return scanned?.map(|end| read_head(buf, end, request, head).map(|()| end.end)).transpose();
    };
    // The first byte already shows an origin that does not speak HTTP.
    if head.scan.first_byte(buf).is_some_and(|byte| byte != b'H') {
        head.scan = HeadScan::default();
        return Err(ResponseFault::StatusLine);
    }
    Ok(None)
}

fn read_head(
    buf: &[u8],
    end: HeadEnd,
    request: &RequestContext<'_>,
    head: &mut ResponseHead,
) -> Result<(), ResponseFault> {
    let line = read_status_line(buf, end.start, end.block_start - 2)?;
    head.version = line.version;
    head.status = line.status;
    head.reason = line.reason;
    read_fields(buf, end, &mut head.fields)?;
    let framing = weigh_fields(buf, head)?;
    let (length, chunked) = framing.settle(head.version == Version::Http10)?;
    head.content_length = length;
    head.persistence = head.connection.persistence(head.version);
    head.class = classify(buf, end.end, head, request)?;
    // The rules of RFC 9112, 6.3, in the order of the RFC.
    head.framing = match (length, chunked) {
        _ if request.method == Method::Head || matches!(head.status, 100..=199 | 204 | 304) => Framing::None,
        (_, true) => Framing::Chunked,
        (Some(length), false) => Framing::Length(length),
        (None, false) => Framing::ToEnd,
    };
    Ok(())
}

fn weigh_fields(buf: &[u8], head: &mut ResponseHead) -> Result<FramingFields, ResponseFault> {
    let mut framing = FramingFields::default();
    head.connection.clear();
    head.has_date = false;
    head.upgrade = Span::default();
    let mut upgrades = 0_usize;
    for field in &head.fields {
        match field.kind {
            FieldKind::ContentLength => framing.length(field.value.of(buf)),
            FieldKind::TransferEncoding => framing.coding(field.value.of(buf)),
            FieldKind::Connection => {
                head.connection.read(buf, field.value).map_err(|_| ResponseFault::ConnectionOptions)?;
            }
            FieldKind::Upgrade => {
                // An origin can't switch to two protocols at once, so a second line leaves no protocol.
                upgrades += 1;
                head.upgrade = if upgrades == 1 { field.value } else { Span::default() };
            }
            FieldKind::Date => head.has_date = true,
            _ => {}
        }
    }
    Ok(framing)
}

fn classify(
    buf: &[u8],
    head_bytes: usize,
    head: &mut ResponseHead,
    request: &RequestContext<'_>,
) -> Result<ResponseClass, ResponseFault> {
    match head.status {
        101 => {
            let to_asked = request.upgrade.is_some_and(|protocol| {
                !protocol.is_empty() && head.upgrade.of(buf).eq_ignore_ascii_case(protocol)
            });
            let fits = to_asked && head.version == Version::Http11;
            if fits { Ok(ResponseClass::Switching) } else { Err(ResponseFault::Switched) }
        }
        100..=199 => {
            head.informational = head.informational.saturating_add(head_bytes);
            if head.informational > INFORMATIONAL_BYTES_MAX {
                return Err(ResponseFault::InformationalTooLarge);
            }
            Ok(ResponseClass::Informational)
        }
        _ => Ok(ResponseClass::Final),
    }
}
