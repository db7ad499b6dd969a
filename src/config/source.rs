//! The text of a file: which line a byte is on, and a value as it stands there.

use std::ops::Range;

use toml::de::DeValue;

/// How much of a value a fault shows, in characters.
const EXCERPT_CHARS_MAX: usize = 60;

/// A text with its lines counted once.
#[derive(Debug)]
pub(super) struct Source<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect() }
    }

    /// The 1-based line of a byte.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// A value as it stands, on one line and not too long. Tables, and arrays with tables in them,
    /// are not shown: there may be a secret inside.
    pub(super) fn excerpt(&self, value: &DeValue<'_>, span: Range<usize>) -> String {
        match value {
            DeValue::Table(_) => return "{ ... }".to_owned(),
            DeValue::Array(items) if !items.iter().all(|item| is_plain(item.get_ref())) => {
                return "[ ... ]".to_owned();
            }
            _ => {}
        }
        let text = self.text.get(span).unwrap_or("");
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Control characters would reach the terminal of whoever reads the fault.
        let mut shown: String = line
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .take(EXCERPT_CHARS_MAX)
            .collect();
        if line.chars().nth(EXCERPT_CHARS_MAX).is_some() {
            shown.push_str("...");
        }
        shown
    }
}

fn is_plain(value: &DeValue<'_>) -> bool {
    !matches!(value, DeValue::Table(_) | DeValue::Array(_))
}
