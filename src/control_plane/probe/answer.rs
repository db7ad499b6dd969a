//! The answer of an endpoint to an HTTP probe, and when enough of it is read to decide. This file
//! is pure: bytes go in, an outcome comes out.
//!
//! The status decides as soon as the head is complete. The body is read only if the check expects a
//! text in it, up to that text or to 64 KiB. Redirects are not followed; their status is checked
//! like any other.

use crate::health::{ProbeFailure, ProbeOutcome};

use super::chunks::Chunks;

/// The longest head (interim heads included) and the longest body that are read, in bytes.
pub(crate) const HEAD_MAX: usize = 64 << 10;
const BODY_MAX: usize = 64 << 10;
/// The most bytes of a body that are read with their chunked coding. It leaves room for 64 KiB of
/// data and for three times as much coding.
const CODED_MAX: usize = 256 << 10;
/// The most header fields of a head.
pub(crate) const FIELDS_MAX: usize = 128;
/// The most interim answers (1xx) before the final one.
pub(crate) const INTERIM_MAX: u32 = 16;
/// How many bytes of an answer that is not HTTP a failure quotes.
pub(crate) const TOLD_MAX: usize = 24;

/// An answer while its bytes come in.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    expect_status: &'a [u16],
    /// `None` if the check expects no text, so that the head decides.
    expect_body: Option<&'a [u8]>,
    interim: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Head(Vec<u8>),
    Body { framing: Framing, body: Vec<u8>, coded: usize },
}

#[derive(Debug)]
enum Framing {
    Length(u64),
    Chunked(Chunks),
    ToTheEnd,
}

fn malformed(why: impl Into<String>) -> ProbeOutcome {
    ProbeOutcome::Fail(ProbeFailure::Malformed(why.into()))
}

impl<'a> Answer<'a> {
    pub(crate) fn new(expect_status: &'a [u16], expect_body: Option<&'a str>) -> Self {
        // The empty text is in every body.
        let expect_body = expect_body.map(str::as_bytes).filter(|text| !text.is_empty());
        Self { expect_status, expect_body, interim: 0, phase: Phase::Head(Vec::new()) }
    }

    /// Takes the bytes that were read. Returns the outcome once it is decided, and then nothing
    /// more needs to be read.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<ProbeOutcome> {
        match &mut self.phase {
            Phase::Body { .. } => self.take_body(bytes),
            Phase::Head(head) => {
                head.extend_from_slice(bytes);
                self.take_head()
            }
        }
    }

    /// Decides by the bytes that have come, after the endpoint closed the connection.
    pub(crate) fn end(&self) -> ProbeOutcome {
        match &self.phase {
            Phase::Head(head) if head.is_empty() => malformed("it closed the connection without an answer"),
            Phase::Head(_) => malformed("it closed the connection inside the head of its answer"),
            Phase::Body { .. } => ProbeOutcome::Fail(ProbeFailure::Body),
        }
    }

    /// Takes the status of a final head that the caller has read. After that, [`Answer::take`] gets
    /// the body without any coding. Returns the outcome if the status decides it.
    pub(crate) fn take_status(&mut self, status: u16) -> Option<ProbeOutcome> {
        let outcome = judge(status, self.expect_status, self.expect_body);
        self.phase = Phase::Body { framing: Framing::ToTheEnd, body: Vec::new(), coded: 0 };
        outcome
    }

    fn take_head(&mut self) -> Option<ProbeOutcome> {
        loop {
            let Phase::Head(head) = &mut self.phase else { return None };
            let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
            let mut response = httparse::Response::new(&mut fields);
            let length = match response.parse(head) {
                Ok(httparse::Status::Complete(length)) => length,
                Ok(httparse::Status::Partial) if head.len() < HEAD_MAX => return None,
                Ok(httparse::Status::Partial) => return Some(malformed("its head is over 64 KiB")),
                Err(error) => {
                    let told = head[..head.len().min(TOLD_MAX)].escape_ascii();
                    return Some(malformed(format!("{error} in an answer that begins with \"{told}\"")));
                }
            };
            let status = response.code.unwrap_or(0);
            // 101 is final, since the probe asked for no other protocol.
            if (100..200).contains(&status) && status != 101 {
                self.interim += 1;
                if self.interim > INTERIM_MAX {
                    return Some(malformed("more than 16 interim answers"));
                }
                head.drain(..length);
                continue;
            }
            if let Some(outcome) = judge(status, self.expect_status, self.expect_body) {
                return Some(outcome);
            }
            let framing = match framing(status, response.headers) {
                Ok(framing) => framing,
                Err(why) => return Some(malformed(why)),
            };
            let rest = head.split_off(length);
            self.phase = Phase::Body { framing, body: Vec::new(), coded: 0 };
            return self.take_body(&rest);
        }
    }

    fn take_body(&mut self, bytes: &[u8]) -> Option<ProbeOutcome> {
        let Phase::Body { framing, body, coded } = &mut self.phase else { return None };
        let expected = self.expect_body.unwrap_or_default();
        // The text may have begun in the bytes that came before.
        let from = body.len().saturating_sub(expected.len().saturating_sub(1));
        *coded += bytes.len();
        let ended = match framing {
            Framing::ToTheEnd => {
                body.extend_from_slice(bytes);
                false
            }
            Framing::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                body.extend_from_slice(&bytes[..here]);
                *left -= here as u64;
                *left == 0
            }
            Framing::Chunked(chunks) => match chunks.take(bytes, body) {
                Ok(ended) => ended,
                Err(why) => return Some(malformed(why)),
            },
        };
        body.truncate(BODY_MAX);
        if body[from..].windows(expected.len()).any(|window| window == expected) {
            return Some(ProbeOutcome::Pass);
        }
        let enough = ended || body.len() == BODY_MAX || *coded >= CODED_MAX;
        enough.then_some(ProbeOutcome::Fail(ProbeFailure::Body))
    }
}

/// Returns the outcome if the status alone decides it.
fn judge(status: u16, expect_status: &[u16], expect_body: Option<&[u8]>) -> Option<ProbeOutcome> {
    if !expect_status.contains(&status) {
        return Some(ProbeOutcome::Fail(ProbeFailure::Status(status)));
    }
    expect_body.is_none().then_some(ProbeOutcome::Pass)
}

/// Finds the framing of the body (RFC 9112 section 6.3). Transfer-Encoding overrides
/// Content-Length. A proxy must refuse an answer with both, but a check may accept it.
fn framing(status: u16, fields: &[httparse::Header<'_>]) -> Result<Framing, String> {
    if matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let field = |name: &str| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    if let Some(coding) = field("transfer-encoding") {
        return if coding.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
            Ok(Framing::Chunked(Chunks::new()))
        } else {
            Err(format!("its Transfer-Encoding is \"{}\", not chunked", coding.value.escape_ascii()))
        };
    }
    let Some(length) = field("content-length") else {
        return Ok(Framing::ToTheEnd);
    };
    let digits = Some(length.value)
        .filter(|value| !value.is_empty() && value.iter().all(u8::is_ascii_digit))
        .and_then(|value| std::str::from_utf8(value).ok());
    digits
        .and_then(|digits| digits.parse().ok())
        .map(Framing::Length)
        .ok_or_else(|| format!("its Content-Length is \"{}\"", length.value.escape_ascii()))
}
