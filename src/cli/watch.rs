//! The page that `status --watch` draws on a terminal. It has the alternate screen for itself, so that no line
//! of an earlier page stays behind, and the person's own screen is back when the watch ends.

use std::io::Write;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{QueueableCommand as _, terminal};

use super::output::printable;

/// The size of a terminal that does not tell its own, in columns and rows.
const SIZE_UNKNOWN: (u16, u16) = (80, 24);
const FOOT: &str = "Ctrl-C ends the watch";

/// The alternate screen. It is left when the value is dropped.
#[derive(Debug)]
pub(super) struct Page<W: Write> {
    out: W,
}

impl<W: Write> Page<W> {
    /// Enters the alternate screen. A terminal that can't be written is no fault.
    pub(super) fn open(mut out: W) -> Self {
        let _ = out.queue(EnterAlternateScreen).and_then(|out| out.queue(Hide)).and_then(Write::flush);
        Self { out }
    }

    /// Draws a text at the present size of the terminal.
    pub(super) fn draw(&mut self, text: &str) {
        let (width, height) = terminal::size().unwrap_or(SIZE_UNKNOWN);
        let _ = self.lines(&frame(text, usize::from(width), usize::from(height)));
    }

    fn lines(&mut self, lines: &[String]) -> std::io::Result<()> {
        for (row, line) in lines.iter().enumerate() {
            let row = u16::try_from(row).unwrap_or(u16::MAX);
            self.out.queue(MoveTo(0, row))?;
            write!(self.out, "{line}")?;
            self.out.queue(Clear(ClearType::UntilNewLine))?;
        }
        self.out.queue(Clear(ClearType::FromCursorDown))?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Page<W> {
    fn drop(&mut self) {
        let _ = self.out.queue(Show).and_then(|out| out.queue(LeaveAlternateScreen)).and_then(Write::flush);
    }
}

/// The lines that a terminal of this size shows. A line that is too long goes on in the next one. Of a text
/// that is too tall the end is left out, and the last line says so. No line fills the last column, because
/// some terminals wrap there.
pub(super) fn frame(text: &str, width: usize, height: usize) -> Vec<String> {
    let width = width.saturating_sub(1).max(1);
    let rows = height.saturating_sub(2).max(1);
    let text = printable(text).replace('\t', " ");
    let mut lines: Vec<String> = text.lines().flat_map(|line| wrapped(line, width)).collect();
    let left_out = lines.len().saturating_sub(rows);
    lines.truncate(rows);
    let foot = match left_out {
        0 => FOOT.to_owned(),
        1 => format!("1 more line; {FOOT}"),
        _ => format!("{left_out} more lines; {FOOT}"),
    };
    if height > 2 {
        lines.push(String::new());
    }
    if height > 1 {
        lines.push(foot.chars().take(width).collect());
    }
    lines
}

fn wrapped(line: &str, width: usize) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    if chars.is_empty() {
        return vec![String::new()];
    }
    chars.chunks(width).map(|part| part.iter().collect()).collect()
}
