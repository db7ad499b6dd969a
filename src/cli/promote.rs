//! `promote` moves the traffic to the candidate, or keeps a degraded release.

use reqwest::Method;
use serde_json::json;

use super::ask::{Service, ask};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;

/// Give the candidate all traffic now; or keep a degraded release as succeeded
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Answers once every worker sends to the new color.

Examples:
  greenlight promote shop
  greenlight promote shop --force          # although it is pinned; lifts the pin")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
    /// Also when the service is pinned (lifts the pin)
    #[arg(long)]
    force: bool,
}

pub(super) async fn promote(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    ask(admin, Method::POST, &args.service, "promote", json!({ "force": args.force })).await
}
