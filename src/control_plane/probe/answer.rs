//! What an endpoint answers to an HTTP probe, and when it is enough to decide. Pure: bytes in, an
//! outcome out.
//!
//! The status decides as soon as the head is there; the body is read only if a text is expected
//! in it, up to the text or to 64 KiB. Redirects are answers like any other.

use crate::health::{ProbeFailure, ProbeOutcome};

use super::chunks::Chunks;

/// The longest head, interim ones included, and the longest body that is looked at, in bytes.
pub(crate) const HEAD_MAX: usize = 64 << 10;
const BODY_MAX: usize = 64 << 10;
/// Bytes of a coded body: its data, and as much again and more for the coding.
const CODED_MAX: usize = 256 << 10;
pub(crate) const FIELDS_MAX: usize = 128;
/// Interim answers (1xx) before the final one.
pub(crate) const INTERIM_MAX: u32 = 16;
/// How much of something that is not HTTP is told.
pub(crate) const TOLD_MAX: usize = 24;

/// An answer as it comes in.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    expect_status: &'a [u16],
    /// `None`: the head is enough.
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
        // Every body holds the empty text.
        let expect_body = expect_body.map(str::as_bytes).filter(|text| !text.is_empty());
        Self { expect_status, expect_body, interim: 0, phase: Phase::Head(Vec::new()) }
    }

    /// Takes what was read. `Some` once it is decided; nothing needs to be read then.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<ProbeOutcome> {
        match &mut self.phase {
            Phase::Body { .. } => self.take_body(bytes),
            Phase::Head(head) => {
                head.extend_from_slice(bytes);
                self.take_head()
            }
        }
    }

    /// The endpoint has closed: decides by what is there.
    pub(crate) fn end(&self) -> ProbeOutcome {
        match &self.phase {
            Phase::Head(head) if head.is_empty() => malformed("it closed the connection without an answer"),
            Phase::Head(_) => malformed("it closed the connection inside the head of its answer"),
            Phase::Body { .. } => ProbeOutcome::Fail(ProbeFailure::Body),
        }
    }

    /// Takes the status of a final head that somebody else has read. What [`Answer::take`] is given
    /// from then on is the body, as it is. `Some` once it is decided.
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
            // 101 is final: nobody asked for another protocol.
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
        // The text may have begun in what was there before.
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

/// What the status alone decides.
fn judge(status: u16, expect_status: &[u16], expect_body: Option<&[u8]>) -> Option<ProbeOutcome> {
    if !expect_status.contains(&status) {
        return Some(ProbeOutcome::Fail(ProbeFailure::Status(status)));
    }
    expect_body.is_none().then_some(ProbeOutcome::Pass)
}

/// RFC 9112 section 6.3. A coding beats a length: what a proxy must refuse may pass a check.
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
