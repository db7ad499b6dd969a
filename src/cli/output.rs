//! Output for people and scripts. It is no fault when the reader closes the pipe early (`| head`).

use std::io::{IsTerminal, Write};

/// Prints one or several lines to standard output.
pub(super) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", printable(text));
    let _ = out.flush();
}

/// Prints a line to standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", printable(text));
}

/// Replaces the last line of the terminal, without a line break. An empty `text` clears the line.
pub(super) fn hint(text: &str) {
    let mut out = std::io::stdout().lock();
    let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
    let text: String = printable(text).chars().take(width.saturating_sub(1)).collect();
    let _ =
        write!(out, "\r{}{text}", crossterm::terminal::Clear(crossterm::terminal::ClearType::CurrentLine));
    let _ = out.flush();
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Replaces every control character except line break and tab. Answers of a server can contain text of other
/// programs (log lines, labels), and such text must not control the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() && char != '\n' && char != '\t' { '\u{fffd}' } else { char })
        .collect()
}

/// The output format of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
}

/// The option `-o`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Output {
    /// How to print: for people, or as the API's JSON
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_enum, default_value_t)]
    pub(super) format: Format,
}

/// Prints a value as indented JSON, in the shapes of the admin API.
pub(super) fn say_json<T: serde::Serialize>(value: &T) {
    say(&serde_json::to_string_pretty(value).unwrap_or_default());
}
