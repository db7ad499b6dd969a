//! `analyze` runs the judge over an access log, before a person trusts it with traffic.

mod input;
mod report;
mod settings;
mod sight;

use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::fault::Fault;
use super::output::Format;
use super::output::{Output, say, say_json};

use input::{Read, read};
use report::Report;

/// Run the rules over an access log, as if a release had happened at every hour in it, and tell
/// how often they would have tripped
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Every trip is a false revert, or an incident that is in the log: look at its time. A service that
ran well should show none. The format is recognized: greenlight's own JSON lines, HAProxy's HTTP
log, nginx's or Apache's combined (with the request's time, if it is there), the JSON of Caddy,
Traefik, Envoy or nginx; gzip or not. The report begins with what the judge would not see. A log
without times can't show the latency rule. Asks no running greenlight.

Exit 0: read, whatever was found; 2: not a log that can be read (such as one with over 1 % of the
lines out of order), or a wrong option.

Examples:
  greenlight analyze --replay access.log
  greenlight analyze --replay access.log.1.gz
  zcat -f $(ls -rv access.log*) | greenlight analyze --replay -
  greenlight analyze --replay access.log --at 2026-11-24T12:00:00Z --ratio 5
  greenlight analyze --replay access.log -c greenlight.toml --service shop -o json")]
pub(super) struct Args {
    /// The access log; `-` is the standard input
    #[arg(long, value_name = "LOG")]
    replay: PathBuf,
    #[command(flatten)]
    settings: settings::Args,
    #[command(flatten)]
    output: Output,
}

pub(super) fn analyze(args: &Args) -> Exit {
    match run(args) {
        Ok(report) => {
            match args.output.format {
                Format::Json => say_json(&report),
                Format::Text => say(report.text().trim_end()),
            }
            Exit::Done
        }
        Err(fault) => fault.report(Format::Text),
    }
}

fn run(args: &Args) -> Result<Report, Fault> {
    let settings = args.settings.settings()?;
    let service = args.settings.service();
    let Read { format, found, lines } = read(&args.replay, settings.clone(), service)?;
    Ok(Report::new(&shown(&args.replay), format, &settings, found, lines))
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "the standard input".to_owned() } else { path.display().to_string() }
}
