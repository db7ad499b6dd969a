//! The reasons to refuse a PROXY header.

/// Why the first bytes of a connection are not an accepted PROXY header. The door closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    #[error("the PROXY line does not end within 107 bytes")]
    LongLine,
    #[error("the PROXY line is malformed: \"PROXY TCP4 192.0.2.1 198.51.100.1 1234 443\" would be right")]
    Line,
    #[error("the PROXY header has version {0}: 1 and 2 are known")]
    Version(u8),
    #[error("the PROXY header has the unknown command {0}: 0 (LOCAL) and 1 (PROXY) are known")]
    Command(u8),
    #[error("the PROXY header is of family and protocol {0:#04x}, which is no stream")]
    Family(u8),
    #[error("the PROXY header has {0} bytes after its begin, too few for its addresses")]
    Short(usize),
    #[error("the PROXY header has {0} bytes after its begin, more than are taken")]
    Long(usize),
    #[error("a TLV of the PROXY header is longer than what is left of it")]
    Tlv,
    #[error("the PROXY header's checksum is wrong")]
    Checksum,
}
