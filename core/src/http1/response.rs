//! A response's head, as an origin sends it.

use super::connection::{Connection, Persistence};
use super::fault::ResponseFault;
use super::field::{Field, FieldKind};
use super::fields::read_fields;
use super::framing::{Framing, FramingFault, FramingFields};
use super::limits::{HeadLimits, INFORMATIONAL_MAX};
use super::method::Method;
use super::request::{HeadProgress, RequestHead};
use super::scan::{FirstLine, HeadEnd, HeadScan, ScanFault};
use super::span::Span;
use super::status_line::read_status_line;
use super::upgrade::Upgrade;
use super::version::Version;

/// The longest status line, in bytes.
const STATUS_LINE_BYTES_MAX: usize = 8 * 1024;

/// The request that a response answers, as far as it decides what the response means.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    pub method: Method,
    /// The protocol that was asked for of the origin, if any.
    pub upgrade: Option<&'a [u8]>,
}

impl<'a> RequestContext<'a> {
    /// For a request that was written with [`super::Forward::upgrade`] as `forwarded_upgrade`.
    pub fn of(head: &RequestHead, buf: &'a [u8], forwarded_upgrade: bool) -> Self {
        let upgrade = match head.upgrade {
            Upgrade::To(protocol) if forwarded_upgrade => Some(protocol.of(buf)),
            _ => None,
        };
        Self { method: head.method, upgrade }
    }
}

/// What a response is in its exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseClass {
    /// 1xx but 101: another head follows. 103 passes, the others are dropped.
    Informational,
    /// 101 to the protocol that was asked for: a tunnel follows.
    Switching,
    #[default]
    Final,
}

/// A response's head: ranges over the buffer it was parsed from. Used again, like
/// [`RequestHead`].
#[derive(Debug, Default)]
pub struct ResponseHead {
    pub version: Version,
    pub status: u16,
    pub reason: Span,
    pub fields: Vec<Field>,
    pub class: ResponseClass,
    pub framing: Framing,
    /// As it was sent; on an answer to HEAD and on 304 it is not the length of what follows.
    pub content_length: Option<u64>,
    /// Whether the origin keeps the connection; [`ResponseHead::reusable`] has the whole verdict.
    pub persistence: Persistence,
    /// Has a `Date`.
    pub has_date: bool,
    /// The protocol of a 101.
    pub upgrade: Span,
    pub(crate) connection: Connection,
    scan: HeadScan,
    informational: u8,
}

impl ResponseHead {
    /// Begins a new exchange: forgets what was scanned and how many interim responses came.
    pub fn clear(&mut self) {
        self.scan = HeadScan::default();
        self.fields.clear();
        self.informational = 0;
    }

    /// How far the search for the end of an incomplete head came; as in [`RequestHead::progress`].
    pub fn progress(&self) -> HeadProgress {
        HeadProgress(self.scan)
    }

    /// Goes on where [`ResponseHead::progress`] was taken, with the same bytes at the buffer's start.
    pub fn resume(&mut self, progress: HeadProgress) {
        self.scan = progress.0;
        self.fields.clear();
    }

    /// Whether the origin's connection may be used again as far as the head goes: the origin keeps
    /// it, and the response's end can be seen. The caller adds: both bodies complete, no byte left
    /// over.
    pub fn reusable(&self) -> bool {
        self.class == ResponseClass::Final
            && self.persistence == Persistence::KeepAlive
            && self.framing != Framing::ToEnd
    }

    /// The first field of this kind.
    pub fn value_of<'b>(&self, buf: &'b [u8], kind: FieldKind) -> Option<&'b [u8]> {
        self.fields.iter().find(|field| field.kind == kind).map(|field| field.value.of(buf))
    }

    /// The first field of this name.
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

/// Reads a response's head from the start of `buf`, with [`HeadLimits::RESPONSE`] unless the
/// caller knows better. `Ok(None)`: more bytes are needed. `Ok(Some(n))`: the head took the first
/// `n` bytes; for [`ResponseClass::Informational`] call again with what follows them. The 17th
/// interim response of an exchange is a fault.
pub fn parse_response(
    buf: &[u8],
    request: &RequestContext<'_>,
    limits: &HeadLimits,
    head: &mut ResponseHead,
) -> Result<Option<usize>, ResponseFault> {
    let first = FirstLine { empty_lines_max: 0, bytes_max: STATUS_LINE_BYTES_MAX };
    let scanned = head.scan.advance(buf, first, limits);
    let Ok(None) = scanned else {
        // Complete or hopeless: the next call begins a head.
        head.scan = HeadScan::default();
        return scanned?.map(|end| read_head(buf, end, request, head).map(|()| end.end)).transpose();
    };
    // An origin that does not speak HTTP is told at its first byte.
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
    head.class = classify(buf, head, request)?;
    // RFC 9112, 6.3, in its order.
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
                // Two protocols can't be switched to at once: a second line leaves none.
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
            head.informational += 1;
            if head.informational > INFORMATIONAL_MAX {
                return Err(ResponseFault::TooManyInformational);
            }
            Ok(ResponseClass::Informational)
        }
        _ => Ok(ResponseClass::Final),
    }
}
