//! L1: HTTP/1.1, strict and without IO: bytes in, spans out. Every ambiguity is an error with a
//! status. The rules are argued in docs/http.md, "The HTTP/1.1 codec".
//!
//! Why a codec of our own: a proxy is attacked where two parsers read the same bytes differently.
//! hyper repairs a head before its user sees it (it drops a Content-Length beside
//! Transfer-Encoding, merges equal ones, cuts `#...`, accepts a bare LF), so what was repaired can
//! not be refused. Here nothing is repaired: a head either has one reading or is an error.
//!
//! How it stays cheap: one pass finds the end of the head and proves that every line ends in CRLF
//! (`scan`); httparse splits the field block; heads stay [`Span`]s over the caller's read buffer
//! in a value that is used again and again, so that a kept-alive connection parses without
//! allocating. What goes out is written anew from the spans, never copied as a block: framing and
//! our own fields are always ours.
//!
//! The walk of an exchange:
//! [`parse_request`] -> [`write_request`] with [`BodyReader`] and the writers of [`chunk`] ->
//! [`parse_response`] -> [`write_response`], or [`write_answer`] when the answer is our own.

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
pub use limits::{HeadLimits, INFORMATIONAL_MAX};
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
