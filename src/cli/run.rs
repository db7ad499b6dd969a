//! `run` runs the front door in this process.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app;

/// The path of the configuration file if the command line names none.
pub(super) const CONFIG_DEFAULT: &str = "/etc/greenlight/greenlight.toml";

/// Run the front door
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
SIGTERM stops it gently, SIGHUP reloads the configuration.

Example:
  greenlight run -c greenlight.toml")]
pub(super) struct Args {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = CONFIG_DEFAULT)]
    config: PathBuf,
    /// Stop when the standard input ends: for a parent that must not leave this behind
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    app::run(&args.config, args.until_stdin_ends)
}
