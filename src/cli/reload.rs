//! `reload` makes a running greenlight read its configuration file again.

use reqwest::Method;

use crate::control_plane::controller::ReloadReport;

use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::{Format, Output, say, say_json};

/// Read the configuration file again and apply what can be changed live
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
A file with a fault changes nothing (exit 2). The same happens at SIGHUP.

Example:
  greenlight check /etc/greenlight/greenlight.toml && greenlight reload")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) output: Output,
}

pub(super) async fn reload(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let report: ReloadReport = admin.change_as(Method::POST, &["v1", "reload"]).await?;
    match args.output.format {
        Format::Json => say_json(&report),
        Format::Text => say(&text(&report)),
    }
    Ok(Exit::Done)
}

pub(super) fn text(report: &ReloadReport) -> String {
    let mut text = if report.applied.is_empty() {
        "nothing that can be changed live is different".to_owned()
    } else {
        format!(
            "in force now:\n  {}\nundo: change the file back, then greenlight reload",
            report.applied.join("\n  ")
        )
    };
    if !report.next_release.is_empty() {
        text.push_str("\ntakes effect at the next release:\n  ");
        text.push_str(&report.next_release.join("\n  "));
    }
    if !report.needs_restart.is_empty() {
        text.push_str("\nneeds a restart of `greenlight run`:\n  ");
        text.push_str(&report.needs_restart.join("\n  "));
    }
    for warning in &report.warnings {
        text.push_str("\nwarning: ");
        text.push_str(warning);
    }
    text
}
