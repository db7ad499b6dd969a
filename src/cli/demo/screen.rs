//! The screen of the rundown. On a terminal each frame is drawn over the last one; elsewhere the screen
//! prints lines.

use std::io::{IsTerminal as _, Stdout, Write as _, stdout};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveToColumn, MoveUp, Show};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{Clear, ClearType};
use crossterm::{QueueableCommand as _, terminal};

use super::moment::{Happening, Line, Look, Moment};

/// The time between two status lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);
const WIDTH_UNKNOWN: u16 = 100;

/// How the rundown is shown.
#[derive(Debug)]
pub(super) enum Screen {
    /// A frame that is redrawn; `drawn` is the number of lines of the last one.
    Live { out: Stdout, drawn: u16 },
    /// Lines for a log; `last` is the moment of the last status line.
    Lines { last: Option<Duration> },
}

impl Screen {
    /// Live if the standard output is a terminal and the person did not ask for lines (`--plain`).
    #[must_use]
    pub(super) fn open(plain: bool) -> Self {
        if plain || !stdout().is_terminal() {
            Self::Lines { last: None }
        } else {
            Self::Live { out: stdout(), drawn: 0 }
        }
    }

    /// Prints a line for something that happened. A live screen prints none, because its frame shows the
    /// happening.
    pub(super) fn happened(&mut self, happening: &Happening) {
        if let Self::Lines { .. } = self {
            println!("{:>6.1} s  {}", happening.at.as_secs_f64(), happening.text);
        }
    }

    /// Shows a moment: a frame, or a status line if the last one is 2 s old.
    pub(super) fn show(&mut self, moment: &Moment) -> std::io::Result<()> {
        match self {
            Self::Lines { last } => {
                if last.is_none_or(|last| moment.elapsed >= last + LINE_EVERY) {
                    *last = Some(moment.elapsed);
                    println!("{:>6.1} s  {}", moment.elapsed.as_secs_f64(), moment.summary());
                }
                Ok(())
            }
            Self::Live { out, drawn } => {
                let (width, height) = terminal::size().unwrap_or((WIDTH_UNKNOWN, u16::MAX));
                let mut frame = moment.frame();
                // The next frame could not be drawn over a frame that is taller than the terminal.
                frame.truncate(usize::from(height.saturating_sub(1).max(1)));
                out.queue(Hide)?;
                if *drawn > 0 {
                    out.queue(MoveUp(*drawn))?.queue(MoveToColumn(0))?;
                }
                out.queue(Clear(ClearType::FromCursorDown))?;
                for line in &frame {
                    draw(out, line, usize::from(width.max(1)))?;
                }
                *drawn = u16::try_from(frame.len()).unwrap_or(u16::MAX);
                out.queue(Show)?;
                out.flush()
            }
        }
    }
}

/// Draws one line, cut at the width of the terminal. A wrapped line would move the next frame to the wrong
/// place.
fn draw(out: &mut Stdout, line: &Line, width: usize) -> std::io::Result<()> {
    let mut left = width.saturating_sub(1);
    for (look, text) in line {
        let shown: String = text.chars().take(left).collect();
        left -= shown.chars().count();
        match look {
            Look::Plain => {}
            Look::Strong => {
                out.queue(SetAttribute(Attribute::Bold))?;
            }
            Look::Faint => {
                out.queue(SetAttribute(Attribute::Dim))?;
            }
            Look::Blue => {
                out.queue(SetForegroundColor(Color::Blue))?;
            }
            Look::Green => {
                out.queue(SetForegroundColor(Color::Green))?;
            }
            Look::Bad => {
                out.queue(SetForegroundColor(Color::Red))?;
            }
        }
        out.queue(Print(shown))?.queue(SetAttribute(Attribute::Reset))?.queue(ResetColor)?;
    }
    out.queue(Print("\r\n"))?;
    Ok(())
}
