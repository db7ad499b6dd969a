//! `quarantine ls` lists the versions in quarantine; `quarantine rm` takes one out.

use reqwest::Method;
use serde_json::json;

use crate::control_plane::controller::QuarantineView;

use super::ask::{answer, name};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::{Format, Output, say, say_json};
use super::table::Table;

/// Versions that were reverted and are not released again unforced
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight quarantine ls
  greenlight quarantine rm shop v42")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Verb {
    /// List them, of all services
    Ls {
        #[command(flatten)]
        output: Output,
    },
    /// Let a version be released again
    Rm {
        /// The service's name
        #[arg(value_name = "SERVICE", value_parser = name)]
        service: String,
        /// The version
        #[arg(value_name = "VERSION", value_parser = name)]
        version: String,
        #[command(flatten)]
        output: Output,
    },
}

impl Args {
    pub(super) fn format(&self) -> Format {
        match &self.verb {
            Verb::Ls { output } | Verb::Rm { output, .. } => output.format,
        }
    }
}

pub(super) async fn quarantine(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    match &args.verb {
        Verb::Ls { output } => {
            let list: Vec<QuarantineView> = admin.get(&["v1", "quarantine"], None).await?;
            match output.format {
                Format::Json => say_json(&list),
                Format::Text if list.is_empty() => say("no version is in quarantine"),
                Format::Text => say(&text(&list)),
            }
        }
        Verb::Rm { service, version, output } => {
            let path = ["v1", "quarantine", service, version];
            let change = admin.change(Method::DELETE, &path, &json!({})).await?;
            answer(&change, output.format);
        }
    }
    Ok(Exit::Done)
}

fn text(list: &[QuarantineView]) -> String {
    let mut table = Table::new(["SERVICE", "VERSION", "RELEASE", "SINCE", "REASON"]);
    for entry in list {
        let QuarantineView { service, version, reason, release, since } = entry.clone();
        table.row([service, version, release, since, reason]);
    }
    table.text()
}
