//! The commands that are one request and one sentence.

use reqwest::Method;
use serde_json::Value;

use super::client::{Admin, Change};
use super::exit::Exit;
use super::fault::Fault;
use super::output::{Format, Output, say, say_json};

/// A service, and how to answer about it. A name that a URL would take for a way up is refused.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Service {
    /// The service's name, as in the configuration
    #[arg(value_name = "SERVICE", value_parser = name)]
    pub(super) service: String,
    #[command(flatten)]
    pub(super) output: Output,
}

/// A name that can stand in a path.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text == "." || text == ".." {
        return Err("it has to be a name".into());
    }
    Ok(text.to_owned())
}

/// Tells what came of a change.
pub(super) fn answer(change: &Change, format: Format) {
    match format {
        Format::Json => say_json(&change.answer),
        Format::Text => say(&change.answer.message),
    }
}

/// Asks for a change of a service and says what came of it.
pub(super) async fn ask(
    admin: &Admin,
    method: Method,
    service: &Service,
    path: &str,
    body: Value,
) -> Result<Exit, Fault> {
    let change = admin.change(method, &["v1", "services", &service.service, path], &body).await?;
    answer(&change, service.output.format);
    Ok(Exit::Done)
}
