//! `deploy` asks for a release of a version on the other color.

use reqwest::Method;
use serde_json::{Map, Value};

use super::ask::{Service, answer};
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::wait::Wait;

/// Release a version on the other color: probed, switched to, judged, and reverted if it turns bad
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight deploy shop                              # what runs on the other color
  greenlight deploy shop --version 2026-11-24 --wait  # named, and followed to its end
  greenlight deploy shop --auto-promote false         # stop before the switch, wait for `promote`
  greenlight deploy shop registry.example.org/shop:v42 --wait --timeout 20m

With --wait the exit code is the release's end: 0 succeeded, 3 failed or cancelled, 4 reverted or
rolled back, 5 the wait timed out, 7 degraded.")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) service: Service,
    /// The image to run, where greenlight runs the containers
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
    /// A label for what is released; a fresh one without it
    #[arg(long, value_name = "LABEL")]
    version: Option<String>,
    /// Switch when the gate opens (true), or wait for `promote` (false); default: the configuration's
    #[arg(long, value_name = "BOOL")]
    auto_promote: Option<bool>,
    /// Also a version in quarantine, under a pin (lifts it), or active already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: Wait,
}

pub(super) async fn deploy(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let path = ["v1", "services", &args.service.service, "releases"];
    let change = admin.change(Method::POST, &path, &args.body()).await?;
    let format = args.service.output.format;
    answer(&change, format);
    if change.answer.noop {
        return Ok(Exit::Done);
    }
    args.wait.follow(admin, change.answer.id.as_deref(), format).await
}

impl Args {
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("force".into(), self.force.into());
        if let Some(image) = &self.image {
            body.insert("image".into(), image.as_str().into());
        }
        if let Some(version) = &self.version {
            body.insert("version".into(), version.as_str().into());
        }
        if let Some(auto_promote) = self.auto_promote {
            body.insert("auto_promote".into(), auto_promote.into());
        }
        Value::Object(body)
    }
}
