//! The commands that are one request and one sentence.

use reqwest::Method;
use serde_json::Value;

use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::say;

/// A service's name. Names that a URL would take for a way up are none.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Service {
    /// The service's name, as in the configuration
    #[arg(value_name = "SERVICE", value_parser = name)]
    pub(super) service: String,
}

/// A name that can stand in a path.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text == "." || text == ".." {
        return Err("it has to be a name".into());
    }
    Ok(text.to_owned())
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
    say(&change.answer.message);
    Ok(Exit::Done)
}
