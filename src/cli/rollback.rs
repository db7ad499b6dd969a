//! `rollback` goes back to the version before, or to a kept release.

use reqwest::Method;
use serde_json::{Map, Value};

use super::ask::{Service, answer};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::wait::Wait;

/// Go back to the version before, or to a kept release
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
While a release bakes the traffic is back when the command returns. After success it is a release
of its own, which --wait follows.

Examples:
  greenlight rollback shop
  greenlight rollback shop --quarantine    # and do not release that version again
  greenlight rollback shop --to shop-12 --wait")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
    /// The release to go back to; default: the one before
    #[arg(long, value_name = "RELEASE")]
    to: Option<String>,
    /// Put the version that is left into quarantine
    #[arg(long)]
    quarantine: bool,
    /// Also when the service is pinned (lifts the pin)
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: Wait,
}

pub(super) async fn rollback(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let mut body = Map::new();
    body.insert("force".into(), args.force.into());
    body.insert("quarantine".into(), args.quarantine.into());
    if let Some(to) = &args.to {
        body.insert("to".into(), to.as_str().into());
    }
    let path = ["v1", "services", &args.service.service, "rollback"];
    let change = admin.change(Method::POST, &path, &Value::Object(body)).await?;
    let format = args.service.output.format;
    answer(&change, format);
    if change.accepted {
        return args.wait.follow(admin, change.answer.id.as_deref(), format).await;
    }
    // The old color already has the traffic. The rollback is complete, so there is nothing to wait for.
    Ok(Exit::Done)
}
