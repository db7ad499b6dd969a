//! The commands that send one request to the admin API and print one sentence.

use reqwest::Method;
use serde_json::Value;

use super::client::{Admin, Change};
use super::exit::Exit;
use super::fault::Fault;
use super::output::{Format, Output, say, say_json};

/// The service that a command is about, and the format of the output. The names `.` and `..` are refused,
/// because in a URL they lead to the current or the parent folder.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Service {
    /// The service's name, as in the configuration
    #[arg(value_name = "SERVICE", value_parser = name)]
    pub(super) service: String,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Checks that a name can be one segment of a URL path. The error is a sentence for the person who typed it.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text == "." || text == ".." {
        return Err("it has to be a name".into());
    }
    Ok(text.to_owned())
}

/// Prints the API's answer to a change.
pub(super) fn answer(change: &Change, format: Format) {
    match format {
        Format::Json => say_json(&change.answer),
        Format::Text => say(&change.answer.message),
    }
}

/// Asks the API to change a service, and prints its answer. `path` is the segment after the service's name.
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
