//! The `Connection` lines of a head (RFC 9110, 7.6.1).

use super::field::{Field, FieldKind};
use super::limits::CONNECTION_OPTIONS_MAX;
use super::span::Span;
use super::version::Version;

/// Whether a connection is used again after this message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    KeepAlive,
    #[default]
    Close,
}

/// The options of all `Connection` lines of one head.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub close: bool,
    pub keep_alive: bool,
    pub upgrade: bool,
    options: usize,
    /// Names of fields that are removed only because a `Connection` line names them.
    names: Vec<Span>,
}

/// The fault of a head with more than [`CONNECTION_OPTIONS_MAX`] options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyOptions;

impl Connection {
    pub(crate) fn clear(&mut self) {
        self.close = false;
        self.keep_alive = false;
        self.upgrade = false;
        self.options = 0;
        self.names.clear();
    }

    /// Reads one `Connection` line.
    pub(crate) fn read(&mut self, buf: &[u8], value: Span) -> Result<(), TooManyOptions> {
        for option in list(buf, value) {
            self.options += 1;
            if self.options > CONNECTION_OPTIONS_MAX {
                return Err(TooManyOptions);
            }
            let text = option.of(buf);
            if text.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if text.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if text.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade = true;
            } else {
                let kind = FieldKind::of(text);
                if !kind.is_hop_by_hop() && !kind.is_protected() {
                    self.names.push(option);
                }
            }
        }
        Ok(())
    }

    /// Whether a field is removed because a `Connection` line names it.
    pub(crate) fn takes_away(&self, buf: &[u8], field: &Field) -> bool {
        !self.names.is_empty() && {
            let name = field.name.of(buf);
            self.names.iter().any(|option| option.of(buf).eq_ignore_ascii_case(name))
        }
    }

    /// Whether the connection stays open (RFC 9112, 9.3). HTTP/1.1 stays open unless the head has the
    /// option `close`. HTTP/1.0 closes unless the head has `keep-alive` and no `close`.
    pub(crate) fn persistence(&self, version: Version) -> Persistence {
        let open = match version {
            Version::Http11 => !self.close,
            Version::Http10 => self.keep_alive && !self.close,
        };
        if open { Persistence::KeepAlive } else { Persistence::Close }
    }
}

/// The elements of a comma-separated list (RFC 9110, 5.6.1). Empty elements and the white space around
/// an element are left out.
pub(crate) fn list(buf: &[u8], value: Span) -> impl Iterator<Item = Span> {
    let start = value.start as usize;
    let bytes = value.of(buf);
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let rest = &bytes[at..];
            let end = rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len());
            let element = &rest[..end];
            let lead = element.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let from = start + at + lead;
            at += end + 1;
            let text = element.trim_ascii();
            if !text.is_empty() {
                return Some(Span::new(from, from + text.len()));
            }
        }
        None
    })
}
