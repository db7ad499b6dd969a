//! `resume` ends a pause.

use reqwest::Method;
use serde_json::json;

use super::ask::{Service, ask};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;

/// Let the held requests go
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  greenlight resume shop")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
}

pub(super) async fn resume(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    ask(admin, Method::POST, &args.service, "resume", json!({})).await
}
