//! `pause` makes the workers hold the client requests of a service.

use reqwest::Method;
use serde_json::json;

use super::ask::{Service, ask};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;

/// Hold a service's client requests, up to pause_timeout, then 503; releases go on
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  greenlight pause shop && ./migrate && greenlight resume shop")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
}

pub(super) async fn pause(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    ask(admin, Method::POST, &args.service, "pause", json!({})).await
}
