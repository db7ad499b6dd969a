//! What a row of HTTP/1.1 is over HTTP/2, and what becomes of it there.

use std::fmt;

/// RFC 9113, 7.
pub(super) const PROTOCOL_ERROR: u32 = 1;

/// What becomes of a row over HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum H2 {
    /// It has no meaning there, for this reason.
    Nothing(&'static str),
    /// It is forwarded.
    Passes,
    /// It is answered by us on its stream; the connection stays.
    Status(u16),
    /// Its stream is reset with this code; the connection stays.
    Reset(u32),
    /// The connection ends, with a GOAWAY of this code.
    Goaway(u32),
}

/// A request in HTTP/2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, Vec<u8>)>,
}

impl Asked {
    pub(crate) fn new(fields: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Self { fields: fields.iter().map(own).collect(), ..Self::default() }
    }

    /// A request of HTTP/1.1 word by word: the first Host is the authority, names are in lower case. A body
    /// goes along if its length is said, and right: else it is no body of HTTP/2.
    pub(crate) fn translated(raw: &[u8]) -> Self {
        let end = raw.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for line in split(&raw[..end], b"\r\n") {
            match lines.last_mut() {
                Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                    last.extend_from_slice(b"\r\n");
                    last.extend_from_slice(line);
                }
                _ => lines.push(line.to_vec()),
            }
        }
        let first = lines.remove(0);
        let last_space = first.iter().rposition(|byte| *byte == b' ').expect("a version");
        let space = first.iter().position(|byte| *byte == b' ').expect("a target");
        let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let mut fields = vec![
            field(":method", &first[..space]),
            field(":scheme", b"http"),
            field(":path", &first[space + 1..last_space]),
        ];
        let mut length = None;
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':').expect("a name");
            let name = String::from_utf8(line[..colon].to_ascii_lowercase()).unwrap();
            let value = line[colon + 1..].trim_ascii();
            if name == "content-length" && length.is_none() {
                length = std::str::from_utf8(value).unwrap().parse::<usize>().ok();
            }
            let first_host = name == "host" && fields.iter().all(|(name, _)| name != ":authority");
            if first_host {
                fields.insert(3, field(":authority", value));
            } else {
                fields.push((name, value.to_vec()));
            }
        }
        let body = &raw[end + 4..];
        let body = if length == Some(body.len()) { body.to_vec() } else { Vec::new() };
        Self { fields, body, trailers: Vec::new() }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.fields.iter().chain(&self.trailers) {
            writeln!(f, "{name:?}: {}", value.escape_ascii())?;
        }
        write!(f, "{}", self.body.escape_ascii())
    }
}

fn split<'b>(mut bytes: &'b [u8], mark: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) {
        parts.push(&bytes[..at]);
        bytes = &bytes[at + mark.len()..];
    }
    parts.push(bytes);
    parts
}
