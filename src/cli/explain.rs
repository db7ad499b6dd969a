//! `explain`

use crate::admin::Explanation;

use super::ask::name;
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::{Format, Output, say, say_json};

/// Why a release ended as it did: timeline, numbers, verdict and cause
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight explain shop-12
  greenlight explain shop-12 -o json

The same as a page: http://ADMIN/v1/releases/shop-12/explain in a browser.")]
pub(super) struct Args {
    /// The release's id; `greenlight history SERVICE` lists them
    #[arg(value_name = "RELEASE", value_parser = name)]
    release: String,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn explain(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let explanation: Explanation = admin.get(&["v1", "releases", &args.release, "explain"], None).await?;
    match args.output.format {
        Format::Json => say_json(&explanation),
        Format::Text => say(explanation.text.trim_end()),
    }
    Ok(Exit::Done)
}
