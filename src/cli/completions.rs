//! `completions` prints the completion script of a shell.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::exit::Exit;

/// Print shell completions
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight completions bash > /etc/bash_completion.d/greenlight
  greenlight completions fish > ~/.config/fish/completions/greenlight.fish")]
pub(super) struct Args {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

pub(super) fn print(args: &Args) -> Exit {
    // The generator writes into memory first, because it panics when it writes to a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "greenlight", &mut script);
    let _ = std::io::stdout().lock().write_all(&script);
    Exit::Done
}
