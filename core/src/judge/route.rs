//! A request's route template, which is its method and path with ids folded.
//!
//! `GET /orders/17/lines?page=2` and `GET /orders/18/lines` are one route, `GET /orders/{id}/lines`.
//! The template is what the judge counts by and what a record shows, so nothing that names a
//! person or opens a door may be left in it: there is no query, and whatever looks like an id, a
//! token, an address or an encoding is folded.

use std::fmt;

/// The most bytes of a template. A longer path ends with `/*`.
pub(crate) const ROUTE_BYTES_MAX: usize = 96;

/// The longest segment that can be a word, in bytes.
const WORD_BYTES_MAX: usize = 32;
const FOLDED: &[u8] = b"{id}";
const CUT: &[u8] = b"/*";
/// The methods that are told apart. All others count as one, or a client could make up routes.
const METHODS: [&[u8]; 9] =
    [b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS", b"CONNECT", b"TRACE"];

/// The identity of a template. It is the same in every worker, front door and process.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct RouteKey(pub(crate) u64);

impl RouteKey {
    /// The key of a template's text.
    pub(crate) fn of(text: &[u8]) -> Self {
        // Eight bytes are taken in each step. The multiplier is that of `splitmix64`.
        let mut key = 0x9e37_79b9_7f4a_7c15_u64 ^ text.len() as u64;
        for chunk in text.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            key = (key ^ u64::from_le_bytes(word)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            key ^= key >> 29;
        }
        Self(key)
    }
}

/// A route template. It is held inline, so making one allocates nothing.
#[derive(Clone)]
pub struct RouteTemplate {
    key: RouteKey,
    len: u8,
    text: [u8; ROUTE_BYTES_MAX],
}

impl RouteTemplate {
    /// The template of a request. The query of `target` is left out.
    pub fn new(method: &[u8], target: &[u8]) -> Self {
        let mut text = Text { len: 0, bytes: [0; ROUTE_BYTES_MAX] };
        text.push(if METHODS.contains(&method) { method } else { b"OTHER" });
        text.push(b" ");
        let end = target.iter().position(|&byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
        let path = &target[..end];
        let mut segments = path.split(|&byte| byte == b'/');
        // The part before the first slash is empty or `*`.
        text.push(if segments.next() == Some(b"*") { b"*" } else { b"" });
        for segment in segments {
            let shown = if is_id(segment) { FOLDED } else { segment };
            if 1 + shown.len() + CUT.len() > text.room() {
                text.push(CUT);
                break;
            }
            text.push(b"/");
            text.push(shown);
        }
        Self::of(&text)
    }

    fn of(text: &Text) -> Self {
        let used = &text.bytes[..text.len];
        Self { key: RouteKey::of(used), len: u8::try_from(text.len).unwrap_or(0), text: text.bytes }
    }

    /// The identity of the template.
    pub fn key(&self) -> RouteKey {
        self.key
    }

    /// The template as text, such as `GET /orders/{id}`.
    pub fn as_str(&self) -> &str {
        // A template holds only ASCII.
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for RouteTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for RouteTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RouteTemplate {}

/// Reads back the text of [`RouteTemplate::as_str`]. A longer text is cut.
impl From<&str> for RouteTemplate {
    fn from(shown: &str) -> Self {
        let mut text = Text { len: 0, bytes: [0; ROUTE_BYTES_MAX] };
        text.push(shown.as_bytes());
        Self::of(&text)
    }
}

struct Text {
    len: usize,
    bytes: [u8; ROUTE_BYTES_MAX],
}

impl Text {
    fn room(&self) -> usize {
        ROUTE_BYTES_MAX - self.len
    }

    fn push(&mut self, more: &[u8]) {
        let more = &more[..more.len().min(self.room())];
        self.bytes[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }
}

/// Whether a segment names one thing of many. Such a segment is a number, a UUID, hex, a date, a token,
/// an address, or anything encoded.
fn is_id(segment: &[u8]) -> bool {
    if segment.len() > WORD_BYTES_MAX {
        return true;
    }
    // Counts over the whole segment, and over the part since the last separator.
    let (mut digits, mut run, mut longest_run, mut hex) = (0, 0, 0, 0);
    let mut part = Part::default();
    for &byte in segment {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                run += 1;
                longest_run = longest_run.max(run);
                hex += 1;
                part.digits += 1;
                part.hex += 1;
            }
            b'a'..=b'f' | b'A'..=b'F' => {
                run = 0;
                hex += 1;
                part.hex += 1;
            }
            b'g'..=b'z' | b'G'..=b'Z' => run = 0,
            b'.' | b'_' | b'~' | b'-' => {
                if part.is_token() {
                    return true;
                }
                run = 0;
                hex += usize::from(byte == b'-');
                part = Part::default();
                continue;
            }
            _ => return true,
        }
        part.bytes += 1;
    }
    let all = segment.len();
    part.is_token()
        || (all > 0 && digits == all)
        || longest_run >= 4
        || (all >= 16 && hex == all)
        || (all >= 20 && digits >= 3)
}

/// The counts of a run of letters and digits without a separator.
#[derive(Default)]
struct Part {
    bytes: usize,
    digits: usize,
    hex: usize,
}

impl Part {
    fn is_token(&self) -> bool {
        let hash = self.bytes >= 8 && self.hex == self.bytes && self.digits > 0;
        let mixed = self.bytes >= 16 && self.digits >= 2;
        hash || mixed || self.bytes >= 24
    }
}
