//! `health` is for the health check of greenlight's container, whose image holds no other program.

use serde_json::Value;

use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;

/// Ask `/healthz` of the admin API: exit 0 if it answers that all is well
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn health(admin: &Admin, _: &Args) -> Result<Exit, Fault> {
    let _: Value = admin.get(&["healthz"], None).await?;
    Ok(Exit::Done)
}
