//! `unpin` lifts the pin of a service.

use reqwest::Method;
use serde_json::json;

use super::ask::{Service, ask};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;

/// Lift the pin: releases and reverts go on by themselves
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  greenlight unpin shop")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
}

pub(super) async fn unpin(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    ask(admin, Method::DELETE, &args.service, "pin", json!({})).await
}
