//! Lines for people. A reader that has gone away (`| head`) is no fault.

use std::io::{IsTerminal, Write};

/// A line (or several) to standard output.
pub(super) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", printable(text));
    let _ = out.flush();
}

/// A line to standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", printable(text));
}

/// Replaces the last line of a terminal, without a line break; empty: clears it.
pub(super) fn hint(text: &str) {
    let mut out = std::io::stdout().lock();
    let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
    let text: String = printable(text).chars().take(width.saturating_sub(1)).collect();
    let _ =
        write!(out, "\r{}{text}", crossterm::terminal::Clear(crossterm::terminal::ClearType::CurrentLine));
    let _ = out.flush();
}

pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// What a server says may hold bytes of others (log lines, labels): nothing of it may drive the
/// terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() && char != '\n' && char != '\t' { '\u{fffd}' } else { char })
        .collect()
}

/// How a command answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
}

/// `-o`
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Output {
    /// How to print: for people, or as the API's JSON
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_enum, default_value_t)]
    pub(super) format: Format,
}

/// The API's JSON, indented.
pub(super) fn say_json<T: serde::Serialize>(value: &T) {
    say(&serde_json::to_string_pretty(value).unwrap_or_default());
}
