//! How a row of HTTP/1.1 is written in HTTP/2, and how it ends there.

use std::fmt;

/// The error code PROTOCOL_ERROR (RFC 9113, 7).
pub(super) const PROTOCOL_ERROR: u32 = 1;

/// How a row ends over HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum H2 {
    /// The row has no meaning in HTTP/2, for this reason.
    Nothing(&'static str),
    /// The door forwards the request.
    Passes,
    /// The door answers with this status on the stream. The connection stays open.
    Status(u16),
    /// The door resets the stream with this code. The connection stays open.
    Reset(u32),
    /// The door ends the connection with a GOAWAY of this code.
    Goaway(u32),
}

/// A request of HTTP/2. The pseudo-fields are among the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Http2Request {
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, Vec<u8>)>,
}

impl Http2Request {
    pub(crate) fn new(fields: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Self { fields: fields.iter().map(own).collect(), ..Self::default() }
    }

    /// Translates a request of HTTP/1.1 field by field. The first Host becomes `:authority`, and names become
    /// lower case. The body is kept only if a correct Content-Length announces it, because any other framing
    /// has no meaning in HTTP/2.
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

impl fmt::Display for Http2Request {
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
