//! `status` prints the services with their active color, release and endpoints.

pub(super) mod text;

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::control_plane::controller::ServiceView;

use super::ask::name;
use super::client::Admin;
use super::exit::Exit;
use super::fault::Fault;
use super::output::{self, Format, Output, say, say_json};
use super::watch::Page;

/// The time between two looks of `--watch`.
const LOOK: Duration = Duration::from_secs(1);

/// What runs where: the active color, the release, the endpoints
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  greenlight status                        # all services
  greenlight status shop                   # one, with its endpoints and alarms
  greenlight status shop --watch           # redrawn each second; lines when not on a terminal
  greenlight status shop -o json | jq .active")]
pub(super) struct Args {
    /// One service, with its endpoints; all of them without it
    #[arg(value_name = "SERVICE", value_parser = name)]
    service: Option<String>,
    /// Go on until Ctrl-C
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

pub(super) async fn status(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    if args.watch {
        return watch(admin, args).await;
    }
    print(&look(admin, args).await?, args);
    Ok(Exit::Done)
}

async fn look(admin: &Admin, args: &Args) -> Result<Vec<ServiceView>, Fault> {
    match &args.service {
        Some(service) => Ok(vec![admin.get(&["v1", "services", service], None).await?]),
        None => admin.get(&["v1", "services"], None).await,
    }
}

fn print(services: &[ServiceView], args: &Args) {
    match (args.output.format, &args.service, services) {
        (Format::Json, Some(_), [service]) => say_json(service),
        (Format::Json, _, services) => say_json(&services),
        (Format::Text, Some(_), [service]) => say(&text::one(service)),
        (Format::Text, _, services) => say(&text::all(services)),
    }
}

/// Looks until Ctrl-C. On a terminal it redraws the page. Elsewhere, and in JSON, it prints a line for each
/// service that has changed.
async fn watch(admin: &Admin, args: &Args) -> Result<Exit, Fault> {
    // An API that can't be reached at the first look is a fault. Later the API may come back, so the watch
    // goes on.
    let first = look(admin, args).await?;
    if output::is_terminal() && args.output.format == Format::Text {
        return redraw(admin, args, first).await;
    }
    let mut services: Result<Vec<ServiceView>, Fault> = Ok(first);
    let mut shown: Vec<String> = Vec::new();
    loop {
        match &services {
            Ok(services) => news(services, args.output.format, &mut shown),
            Err(fault) => once(&mut shown, fault.to_string()),
        }
        tokio::time::sleep(LOOK).await;
        services = look_again(admin, args).await?;
    }
}

/// Looks again. A fault that may pass is shown, and any other ends the watch.
async fn look_again(admin: &Admin, args: &Args) -> Result<Result<Vec<ServiceView>, Fault>, Fault> {
    match look(admin, args).await {
        Err(fault) if !fault.passes() => Err(fault),
        looked => Ok(looked),
    }
}

/// Redraws the page each second, and at once when the terminal changes its size. SIGINT and SIGTERM end the
/// watch, so that the person's own screen comes back.
async fn redraw(admin: &Admin, args: &Args, first: Vec<ServiceView>) -> Result<Exit, Fault> {
    let listen = |kind| signal(kind).map_err(|why| Fault::Internal(format!("no signals: {why}")));
    let mut resized = listen(SignalKind::window_change())?;
    let (mut interrupted, mut ended) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut page = Page::open(std::io::stdout());
    let mut text = page_text(args, &first);
    loop {
        page.draw(&text);
        tokio::select! {
            _ = interrupted.recv() => return Ok(Exit::Done),
            _ = ended.recv() => return Ok(Exit::Done),
            _ = resized.recv() => {}
            looked = async {
                tokio::time::sleep(LOOK).await;
                look_again(admin, args).await
            } => {
                text = match looked? {
                    Ok(services) => page_text(args, &services),
                    Err(fault) => fault.to_string(),
                };
            }
        }
    }
}

fn page_text(args: &Args, services: &[ServiceView]) -> String {
    match (&args.service, services) {
        (Some(_), [service]) => text::one(service),
        _ => text::all(services),
    }
}

fn news(services: &[ServiceView], format: Format, shown: &mut Vec<String>) {
    let lines = services.iter().map(|service| match format {
        Format::Text => text::line(service),
        Format::Json => serde_json::to_string(&steady(service)).unwrap_or_default(),
    });
    let lines: Vec<String> = lines.collect();
    for line in lines.iter().filter(|line| !shown.contains(line)) {
        say(line);
    }
    *shown = lines;
}

/// The service without the values that always change, so that only a real change makes a new line.
fn steady(service: &ServiceView) -> ServiceView {
    let mut steady = ServiceView { deadline_in_seconds: None, ..service.clone() };
    for endpoint in &mut steady.endpoints {
        endpoint.inflight = 0;
    }
    steady
}

fn once(shown: &mut Vec<String>, line: String) {
    if !shown.contains(&line) {
        say(&line);
        *shown = vec![line];
    }
}
