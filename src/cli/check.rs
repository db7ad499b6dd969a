//! `check` reads a configuration file and prints every fault in it.

use std::path::PathBuf;

use crate::config;
use crate::control_plane::provider::docker;
use crate::control_plane::webhooks;
use crate::tls;

use super::exit::Exit;
use super::output::{complain, say};
use super::run::CONFIG_DEFAULT;

/// Check a configuration: every fault at once, each with where, what, and what would be right
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Nothing is started or changed. Exit 0: good (there may be warnings), 2: it has faults.

Example:
  greenlight check greenlight.toml")]
pub(super) struct Args {
    /// The configuration file
    #[arg(value_name = "FILE", default_value = CONFIG_DEFAULT)]
    file: PathBuf,
}

pub(super) fn check(args: &Args) -> Exit {
    match config::load(&args.file) {
        Ok(loaded) => {
            let mut unusable = tls::check(&loaded.config);
            let (_, faults) = webhooks::Book::read(&loaded.config, &webhooks::Book::default());
            unusable.extend(faults.iter().map(ToString::to_string));
            unusable.extend(docker::check_env_files(&loaded.config));
            if !unusable.is_empty() {
                complain_all(&unusable.join("\n"));
                return Exit::Usage;
            }
            complain_all(&config::render_faults(&args.file, &loaded.warnings));
            say(&config::summary(&args.file, &loaded));
            Exit::Done
        }
        Err(faults) => {
            complain_all(&config::render_faults(&args.file, &faults.0));
            Exit::Usage
        }
    }
}

fn complain_all(lines: &str) {
    if !lines.is_empty() {
        complain(lines.trim_end());
    }
}
