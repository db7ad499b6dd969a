//! Answers that the door gives itself.

use std::io::Write;

use super::decimal::write_decimal;
use super::fault::RequestFault;
use super::method::Method;
use super::relay::{Answer, write_extra, write_persistence};

/// The interim answer to `Expect: 100-continue` (RFC 9110, 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The methods in the `Allow` of a 405 (RFC 9110, 15.5.6).
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The content type of the door's own text answers.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// Appends a whole response with a plain-text body to `out`, by the rules of [`write_page`].
pub fn write_answer(status: u16, body: &[u8], answer: &Answer<'_>, out: &mut Vec<u8>) {
    write_page(status, (TEXT, body), answer, out);
}

/// Appends a whole response to `out`, with a body and the body's content type. An answer to HEAD has
/// the length of the body but not the body. A 1xx, 204 or 304 has neither. A status of 400 or more has
/// `Cache-Control: no-store`, because the error holds only for this moment.
pub fn write_page(status: u16, (kind, body): (&str, &[u8]), answer: &Answer<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    write_decimal(u64::from(status), out);
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
    let has_body = !matches!(status, 100..=199 | 204 | 304);
    if has_body {
        if !body.is_empty() {
            for part in [b"Content-Type: ", kind.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        out.extend_from_slice(b"Content-Length: ");
        write_decimal(body.len() as u64, out);
        out.extend_from_slice(b"\r\n");
    }
    if status >= 400 {
        out.extend_from_slice(b"Cache-Control: no-store\r\n");
    }
    write_persistence(answer.persistence, answer.version, out);
    if let Some(date) = answer.date {
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(date);
        out.extend_from_slice(b"\r\n");
    }
    write_extra(answer.extra, out);
    out.extend_from_slice(b"\r\n");
    if has_body && answer.method != Method::Head {
        out.extend_from_slice(body);
    }
}

/// Appends the answer to a refused request to `out`, with the reason as its body. The answer says
/// `Connection: close` whatever `answer.persistence` is, and the caller must close the connection. After
/// a malformed request the door can't know where the next request begins.
pub fn write_fault(fault: RequestFault, answer: &Answer<'_>, out: &mut Vec<u8>) {
    let mut body = Vec::with_capacity(96);
    let status = fault.status();
    // Writing to a Vec can't fail.
    let _ = writeln!(body, "{status} {}: {fault}", reason(status));
    let mut extra = answer.extra.to_vec();
    if fault == RequestFault::MethodNotAllowed {
        extra.push(("Allow", ALLOW));
    }
    let answer = Answer { persistence: super::Persistence::Close, extra: &extra, ..*answer };
    write_answer(status, &body, &answer, out);
}

/// The registered reason phrase of a status. Empty if none is registered.
fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason()).unwrap_or_default()
}
