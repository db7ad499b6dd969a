//! The field block of a head. httparse splits it into names and values, and checks their bytes. httparse
//! accepts some input that this codec refuses. The scan refuses a bare LF before the block gets here. This
//! file refuses the rest, such as a block that httparse does not read to its end.

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
    // The scan has counted the lines, so the smallest table that fits can be used. Initializing a large
    // table would cost more than parsing the block.
    if head.lines <= 16 {
        split(buf, head, &mut [EMPTY_HEADER; 16], fields)
    } else if head.lines <= 64 {
        split(buf, head, &mut [EMPTY_HEADER; 64], fields)
    } else {
        split(buf, head, &mut vec![EMPTY_HEADER; head.lines], fields)
    }
}

/// Splits the block with httparse and appends each field to `fields`, as positions in `buf`. `table` has
/// room for all lines of the block.
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
        // httparse reports `NewLine` for a CR without LF at the beginning of a line, where a name belongs.
        Err(httparse::Error::HeaderName | httparse::Error::NewLine) => return Err(BlockFault::Name),
        // The scan has found the end of the block and counted its lines, so the block is complete and fits
        // the table. The only fault left is a byte that a value can't have.
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

/// Whether any line of the block begins with white space. Such a line continues the one before it
/// (obs-fold, RFC 9112, 5.2).
fn is_folded(block: &[u8]) -> bool {
    block.split(|&byte| byte == b'\n').any(|line| matches!(line.first(), Some(b' ' | b'\t')))
}
