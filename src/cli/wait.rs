//! The options of `--wait`, and the end of a followed release as text and exit code.

use std::time::Duration;

use crate::control_plane::controller::ServiceView;

use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::follow::{End, UNREACHABLE_MAX, follow};
use super::output::{Format, say, say_json};
use super::rundown;
use super::span;

/// The options `--wait` and `--timeout`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Wait {
    /// Follow it to its end: a line a step, the verdict, an exit code that tells
    #[arg(long)]
    pub(super) wait: bool,
    /// Stop waiting after this long (exit 5; the release goes on). Default: as long as it takes
    #[arg(long, value_name = "DURATION", value_parser = span::parse, requires = "wait")]
    pub(super) timeout: Option<Duration>,
}

impl Wait {
    /// Follows a release to its end and returns its exit code. Without `--wait`, or without a release, it
    /// returns [`Exit::Done`] at once. In the JSON format each event is one document, and so is the release
    /// at the end.
    pub(super) async fn follow(
        &self,
        admin: &Admin,
        release: Option<&str>,
        format: Format,
    ) -> Result<Exit, Fault> {
        let Some(release) = release.filter(|_| self.wait) else { return Ok(Exit::Done) };
        match follow(admin, release, self.timeout, UNREACHABLE_MAX, format).await? {
            End::Ended(view) => {
                match format {
                    Format::Json => say_json(&view),
                    Format::Text => {
                        let service = ["v1", "services", &view.service];
                        let service = admin.get::<ServiceView>(&service, None).await;
                        // Without an answer the text names the command, which refuses if it can't be done.
                        let rollback = service.is_ok_and(|service| !service.rollback_available);
                        say(&rundown::summary(&view, !rollback));
                    }
                }
                Ok(Exit::of_state(view.state))
            }
            End::TimedOut(view) => {
                match (format, view) {
                    (Format::Json, Some(view)) => say_json(&view),
                    (Format::Json, None) => {}
                    (Format::Text, view) => {
                        say(&rundown::timed_out(view.as_deref(), release, self.timeout.unwrap_or_default()));
                    }
                }
                Ok(Exit::TimedOut)
            }
        }
    }
}
