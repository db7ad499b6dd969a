//! `run` runs the front door in this process.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app;

/// The path of the configuration file if the command line names none.
const CONFIG_DEFAULT: &str = "/etc/greenlight/greenlight.toml";

/// The configuration file, as an argument or by `-c`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ConfigFile {
    /// The configuration file [default: /etc/greenlight/greenlight.toml]
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The same, as an option
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().or(self.config.as_deref()).unwrap_or(Path::new(CONFIG_DEFAULT))
    }
}

/// Run the front door
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
SIGTERM stops it gently, SIGHUP reloads the configuration.

Example:
  greenlight run -c greenlight.toml")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) config: ConfigFile,
    /// Stop when the standard input ends: for a parent that must not leave this behind
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    app::run(args.config.path(), args.until_stdin_ends)
}
