//! `pin` fixes the active color of a service.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value};

use super::ask::{Service, ask};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::span;

/// Fix the active color: nothing moves by itself, not even a revert
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight pin shop --reason \"campaign runs\"
  greenlight pin shop --for 2h             # ends by itself")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
    /// How long; without it, until `unpin`
    #[arg(long = "for", value_name = "DURATION", value_parser = span::parse)]
    lasts: Option<Duration>,
    /// Why, for the people who find it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) async fn pin(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let mut body = Map::new();
    if let Some(lasts) = args.lasts {
        body.insert("for".into(), span::api(lasts).into());
    }
    if let Some(reason) = &args.reason {
        body.insert("reason".into(), reason.as_str().into());
    }
    ask(admin, Method::PUT, &args.service, "pin", Value::Object(body)).await
}
