//! L1: HTTP/1.1, strict and without IO. Bytes go in and spans come out. Every ambiguity is an error
//! with a status. The rules are in docs/http.md, "The HTTP/1.1 codec" and "Requests that are refused".
//!
//! Why greenlight has a codec of its own: attacks on a proxy work where two parsers read the same
//! bytes differently. hyper repairs a head before its user sees it. It drops a Content-Length beside
//! Transfer-Encoding, merges equal Content-Lengths, cuts `#...` off a target, and accepts a bare LF.
//! Its user can't refuse a head that it has already repaired. This codec repairs nothing. A head
//! either has exactly one reading or is an error.
//!
//! How the codec stays cheap:
//! - One pass finds the end of the head and proves that every line ends in CRLF (`scan`).
//! - httparse splits the field block.
//! - A head is a list of [`Span`]s over the caller's read buffer. The caller uses one head value again
//!   for every message, so a kept-alive connection parses without allocating.
//!
//! The outgoing head is written anew from the spans and never copied as a block. So the framing fields
//! and the fields that the door adds always have the door's own values.
//!
//! The order of calls in an exchange:
//! [`parse_request`] -> [`write_request`] with [`BodyReader`] and the writers of [`chunk`] ->
//! [`parse_response`] -> [`write_response`], or [`write_answer`] when the door itself answers.

mod answer;
mod authority;
mod body;
pub mod chunk;
mod client;
mod connection;
mod decimal;
mod fault;
mod field;
mod fields;
mod forward;
mod framing;
mod limits;
mod method;
mod peer;
mod relay;
mod request;
mod request_line;
mod response;
mod scan;
mod span;
mod status_line;
mod target;
#[cfg(test)]
mod tests;
mod trailer;
mod upgrade;
mod version;
mod websocket;

pub use answer::{CONTINUE, TEXT, write_answer, write_fault, write_page};
pub use authority::{host_of, same_authority};
pub use body::{BodyReader, Piece};
pub use chunk::{ChunkHeader, write_chunk_header, write_last_chunk};
pub use client::{client_address, says_https};
pub use connection::Persistence;
pub use fault::{BodyFault, RequestFault, ResponseFault};
pub use field::{Field, FieldKind};
pub use forward::{Forward, write_encoded, write_request};
pub use framing::Framing;
#[cfg(test)]
use limits::{CONNECTION_OPTIONS_MAX, METHOD_BYTES_MAX};
pub use limits::{HeadLimits, INFORMATIONAL_BYTES_MAX};
pub use method::Method;
pub use peer::{Peer, Scheme};
pub use relay::{Answer, Sending, write_informational, write_response};
pub use request::{HeadProgress, RequestHead, is_grpc, parse_request};
pub use response::{RequestContext, ResponseClass, ResponseHead, parse_response};
pub use span::Span;
pub use target::{Target, TargetForm};
pub use trailer::{Trailers, forbidden_in_trailers};
pub use upgrade::{Upgrade, is_of_this_hop, is_protocol};
pub use version::Version;
pub use websocket::{CLOSE_GOING_AWAY, FrameScanner, write_close};
