//! `history` lists the releases of a service, the newest first.

use crate::control_plane::controller::ReleaseView;
use crate::judge::Verdict;

use super::ask::Service;
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::{Format, say, say_json};
use super::span;
use super::table::Table;

/// A service's releases, newest first
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight history shop
  greenlight history shop --limit 3 -o json")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

pub(super) async fn history(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let path = ["v1", "services", &args.service.service, "history"];
    let releases: Vec<ReleaseView> = admin.get(&path, Some(("limit", &args.limit.to_string()))).await?;
    match args.service.output.format {
        Format::Json => say_json(&releases),
        Format::Text if releases.is_empty() => {
            say(&format!("no release yet: greenlight deploy {}", args.service.service));
        }
        Format::Text => say(&text(&releases)),
    }
    Ok(Exit::Done)
}

/// The releases as a table, in the order of `releases`.
pub(super) fn text(releases: &[ReleaseView]) -> String {
    let mut table =
        Table::new(["RELEASE", "STATE", "KIND", "VERSION", "COLOR", "STARTED", "TOOK", "VERDICT", "REASON"]);
    for release in releases {
        let took = release.finished_at.as_deref().and_then(|end| span::between(&release.started_at, end));
        table.row([
            release.id.clone(),
            release.state.to_string(),
            release.kind.clone(),
            release.version.clone(),
            release.color.to_string(),
            release.started_at.get(..19).unwrap_or(&release.started_at).replace('T', " "),
            took.map_or_else(|| "-".to_owned(), span::clock),
            release.verdict.map_or("-", Verdict::as_str).to_owned(),
            release.reason.clone(),
        ]);
    }
    table.text()
}
