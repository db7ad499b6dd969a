//! The field block: httparse splits and checks it; what it is milder about than we are, the scan
//! has refused already (bare LF) or is refused here.

use httparse::{EMPTY_HEADER, Header};

use super::fault::{RequestFault, ResponseFault};
use super::field::{Field, FieldKind};
use super::scan::HeadEnd;
use super::span::Span;

/// What can be wrong with a field block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockFault {
    Name,
    Value,
    Folded,
}

impl From<BlockFault> for RequestFault {
    fn from(fault: BlockFault) -> Self {
        match fault {
            BlockFault::Name => Self::FieldName,
            BlockFault::Value => Self::FieldValue,
            BlockFault::Folded => Self::Folded,
        }
    }
}

impl From<BlockFault> for ResponseFault {
    fn from(fault: BlockFault) -> Self {
        match fault {
            BlockFault::Name => Self::FieldName,
            BlockFault::Value => Self::FieldValue,
            BlockFault::Folded => Self::Folded,
        }
    }
}

/// Reads the fields of a head whose end is known into `fields` (cleared first).
pub(crate) fn read_fields(buf: &[u8], head: HeadEnd, fields: &mut Vec<Field>) -> Result<(), BlockFault> {
    fields.clear();
    // The scan counted the lines, so the smallest table that fits is taken: clearing a large one
    // would cost more than the parsing.
    if head.lines <= 16 {
        split(buf, head, &mut [EMPTY_HEADER; 16], fields)
    } else if head.lines <= 64 {
        split(buf, head, &mut [EMPTY_HEADER; 64], fields)
    } else {
        split(buf, head, &mut vec![EMPTY_HEADER; head.lines], fields)
    }
}

fn split<'b>(
    buf: &'b [u8],
    head: HeadEnd,
    table: &mut [Header<'b>],
    fields: &mut Vec<Field>,
) -> Result<(), BlockFault> {
    let block = &buf[head.block_start..head.end];
    let headers = match httparse::parse_headers(block, table) {
        Ok(httparse::Status::Complete((used, headers))) if used == block.len() => headers,
        Err(httparse::Error::HeaderName) if is_folded(block) => return Err(BlockFault::Folded),
        // NewLine: a CR without LF where a name should begin.
        Err(httparse::Error::HeaderName | httparse::Error::NewLine) => return Err(BlockFault::Name),
        // The scan proved that the block ends, and how many lines it has: what is left are bytes
        // that a value can't have.
        Ok(_) | Err(_) => return Err(BlockFault::Value),
    };
    let base = buf.as_ptr().addr();
    for header in headers {
        let name = header.name.as_ptr().addr() - base;
        let value = header.value.as_ptr().addr() - base;
        fields.push(Field {
            name: Span::new(name, name + header.name.len()),
            value: Span::new(value, value + header.value.len()),
            kind: FieldKind::of(header.name.as_bytes()),
        });
    }
    Ok(())
}

/// Whether a line begins with white space (obs-fold, RFC 9112, 5.2).
fn is_folded(block: &[u8]) -> bool {
    block.split(|&byte| byte == b'\n').any(|line| matches!(line.first(), Some(b' ' | b'\t')))
}
