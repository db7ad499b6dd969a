//! `check` reads a configuration file and prints every fault in it.

use crate::config::{self, Fault};
use crate::control_plane::provider::docker;
use crate::control_plane::webhooks;
use crate::tls;

use super::exit::Exit;
use super::output::{complain, say};
use super::run::ConfigFile;

/// Check a configuration: every fault at once, each with where, what, and what would be right
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Nothing is started or changed. Exit 0: good (there may be warnings), 2: it has faults.

Example:
  greenlight check greenlight.toml")]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn check(args: &Args) -> Exit {
    let file = args.config.path();
    match config::load(file) {
        Ok(loaded) => {
            let mut unusable = tls::check(&loaded.config);
            let (_, faults) = webhooks::Book::read(&loaded.config, &webhooks::Book::default());
            unusable.extend(faults.iter().map(ToString::to_string));
            unusable.extend(docker::check_env_files(&loaded.config));
            if !unusable.is_empty() {
                complain_all(&unusable.join("\n"));
                return Exit::Usage;
            }
            let mut loaded = loaded;
            let unfit = tls::warnings(&loaded.config).into_iter().chain(missing_networks(&loaded.config));
            loaded.warnings.extend(unfit.map(|text| Fault::warning(&text)));
            complain_all(&config::render_faults(file, &loaded.warnings));
            say(&config::summary(file, &loaded));
            Exit::Done
        }
        Err(faults) => {
            complain_all(&config::render_faults(file, &faults.0));
            Exit::Usage
        }
    }
}

/// Asks the engines for the networks of the services. Without a runtime they are not asked.
fn missing_networks(config: &config::Config) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map(|runtime| runtime.block_on(docker::missing_networks(config))).unwrap_or_default()
}

fn complain_all(lines: &str) {
    if !lines.is_empty() {
        complain(lines.trim_end());
    }
}
