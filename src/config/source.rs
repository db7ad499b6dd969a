//! The text of a file. It tells the line of a byte, and gives a value as it stands in the file.

use std::ops::Range;

use toml::de::DeValue;

/// How much of a value a fault shows, in characters.
const EXCERPT_CHARS_MAX: usize = 60;

/// A text whose lines are counted once.
#[derive(Debug)]
pub(super) struct Source<'t> {
    text: &'t str,
    /// The byte offset at which each line begins.
    starts: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect() }
    }

    /// The line of a byte, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// A value as it stands in the file, on one line and not too long. Tables are not shown, and neither
    /// are arrays with tables or arrays in them, because a secret may be inside.
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
        // Control characters would act on the terminal of the person who reads the fault.
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
