//! The field block. httparse splits and checks it. httparse accepts some input that this codec does not.
//! The scan has already refused a bare LF, and this file refuses the rest.

use httparse::{EMPTY_HEADER, Header};

use super::fault::{RequestFault, ResponseFault};
use super::field::{Field, FieldKind};
use super::scan::HeadEnd;
use super::span::Span;

/// The faults of a field block.
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

/// Reads the fields of a complete head into `fields`, which is cleared first.
pub(crate) fn read_fields(buf: &[u8], head: HeadEnd, fields: &mut Vec<Field>) -> Result<(), BlockFault> {
    fields.clear();
    // The scan has counted the lines, so the smallest table that fits can be used. To clear a large
    // table would cost more than to parse the block.
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
        // `NewLine` is a CR without LF where a name should begin.
        Err(httparse::Error::HeaderName | httparse::Error::NewLine) => return Err(BlockFault::Name),
        // The scan has proved that the block ends, and has counted its lines. So the only fault left is
        // a byte that a value can't have.
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
