//! `judge forget` clears the judge's memory of a service.

use reqwest::Method;
use serde_json::json;

use super::ask::{answer, name};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::{Format, Output};

/// The judge's memory of how a service usually is
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  greenlight judge forget shop")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Verb {
    /// Clear the memory of a service; the judge learns again from now on
    Forget {
        /// The service's name
        #[arg(value_name = "SERVICE", value_parser = name)]
        service: String,
        #[command(flatten)]
        output: Output,
    },
}

impl Args {
    pub(super) fn format(&self) -> Format {
        let Verb::Forget { output, .. } = &self.verb;
        output.format
    }
}

pub(super) async fn judge(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let Verb::Forget { service, output } = &args.verb;
    let path = ["v1", "services", service, "judge", "forget"];
    let change = admin.change(Method::POST, &path, &json!({})).await?;
    answer(&change, output.format);
    Ok(Exit::Done)
}
