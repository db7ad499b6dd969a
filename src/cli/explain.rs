//! `explain` prints why a release ended as it did.

use std::path::{Path, PathBuf};

use crate::control_plane::admin::Explanation;

use super::ask::name;
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::{self, say, say_json};

/// Why a release ended as it did: timeline, numbers, plots, verdict and cause
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight explain shop-12
  greenlight explain shop-12 -o json
  greenlight explain shop-12 --html report.html     one file, with plots, to send to somebody

The same as a page: http://ADMIN/v1/releases/shop-12/explain in a browser.")]
pub(super) struct Args {
    /// The release's id; `greenlight history SERVICE` lists them
    #[arg(value_name = "RELEASE", value_parser = name)]
    release: String,
    /// How to print: for people, as the API's JSON, or as a page
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
    /// Write the page to a file of this name (one that is there is replaced)
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    Html,
}

impl Args {
    /// The format in which a fault is printed: JSON only if the person asked for JSON.
    pub(super) fn fault_format(&self) -> output::Format {
        if self.format == Format::Json { output::Format::Json } else { output::Format::Text }
    }
}

pub(super) async fn explain(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    let path = ["v1", "releases", &args.release, "explain"];
    if let Some(file) = &args.html {
        write(file, &admin.page(&path).await?)?;
        say(&format!("{} is explained in {}", args.release, file.display()));
        return Ok(Exit::Done);
    }
    match args.format {
        Format::Html => say(&admin.page(&path).await?),
        Format::Json => say_json(&admin.get::<Explanation>(&path, None).await?),
        Format::Text => say(admin.get::<Explanation>(&path, None).await?.text.trim_end()),
    }
    Ok(Exit::Done)
}

fn write(file: &Path, page: &str) -> Result<(), Fault> {
    std::fs::write(file, page).map_err(|why| Fault::Usage(format!("--html {}: {why}", file.display())))
}
