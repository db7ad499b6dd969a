//! `abort` ends a release that has not switched yet.

use reqwest::Method;
use serde_json::json;

use super::ask::{Service, ask};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;

/// End a release that has not switched yet
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  greenlight abort shop")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
}

pub(super) async fn abort(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    ask(admin, Method::POST, &args.service, "abort", json!({})).await
}
