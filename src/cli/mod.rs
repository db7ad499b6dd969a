//! The command line (docs/cli.md). Each verb has its own file.
//!
//! clap turns the arguments into typed values here, once. A verb then asks the admin API, and prints what was
//! done, what happens next and how to undo it. A fault is one sentence that names the next step; its exit
//! code tells a script which kind of fault it is ([`exit::Exit`]).

mod abort;
mod analyze;
mod ask;
mod check;
mod client;
mod completions;
mod connection;
pub mod demo;
mod deploy;
mod exit;
mod explain;
mod fault;
mod follow;
mod health;
mod history;
pub mod import;
mod judge;
mod output;
mod pause;
mod pin;
mod promote;
mod quarantine;
mod reload;
pub mod replay;
mod resume;
mod rollback;
mod run;
mod rundown;
pub mod sample_app;
mod span;
mod sse;
mod status;
mod table;
mod unpin;
mod version;
mod wait;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use connection::Connection;
use exit::Exit;
use fault::Fault;
use output::Format;

#[cfg(test)]
mod tests;

const HELP: &str = "\
Examples:
  greenlight demo                          watch a good and a bad release on this machine
  greenlight check greenlight.toml         every fault of a configuration at once
  greenlight run -c greenlight.toml        the front door
  greenlight deploy shop --wait            release, follow it to its end
  greenlight status --watch                what runs where
  greenlight rollback shop                 go back

Exit codes:
  0  succeeded, or nothing to do           4  reverted or rolled back
  1  internal fault, or unreachable        5  the wait timed out; the release goes on
  2  usage or bad configuration            6  refused: wrong state, pinned, quarantined
  3  failed or cancelled before the switch 7  degraded: a person has to decide";

/// A front door that releases by itself: probes a new color, moves all traffic in one switch,
/// judges it by its own traffic, and reverts on its own
#[derive(Debug, Parser)]
#[command(name = "greenlight", version, after_help = HELP, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::Args),
    Run(run::Args),
    Check(check::Args),
    Deploy(deploy::Args),
    Status(status::Args),
    Promote(promote::Args),
    Abort(abort::Args),
    Rollback(rollback::Args),
    Pin(pin::Args),
    Unpin(unpin::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    History(history::Args),
    Explain(explain::Args),
    Quarantine(quarantine::Args),
    Judge(judge::Args),
    Analyze(analyze::Args),
    Import(import::command::Args),
    Reload(reload::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Health(health::Args),
    #[command(hide = true)]
    SampleApp(sample_app::Args),
}

impl Verb {
    /// The output format of a verb that asks a running greenlight; text for all other verbs.
    fn format(&self) -> Format {
        match self {
            Self::Deploy(args) => args.service.output.format,
            Self::Promote(args) => args.service.output.format,
            Self::Abort(args) => args.service.output.format,
            Self::Rollback(args) => args.service.output.format,
            Self::Pin(args) => args.service.output.format,
            Self::Unpin(args) => args.service.output.format,
            Self::Pause(args) => args.service.output.format,
            Self::Resume(args) => args.service.output.format,
            Self::History(args) => args.service.output.format,
            Self::Status(args) => args.output.format,
            Self::Reload(args) => args.output.format,
            Self::Quarantine(args) => args.format(),
            Self::Judge(args) => args.format(),
            Self::Explain(args) => args.fault_format(),
            Self::Demo(_)
            | Self::Run(_)
            | Self::Check(_)
            | Self::Analyze(_)
            | Self::Import(_)
            | Self::Completions(_)
            | Self::Health(_)
            | Self::SampleApp(_) => Format::Text,
        }
    }
}

/// Runs the command line of this process. The exit codes are listed in docs/cli.md, "Exit codes".
#[must_use]
pub fn main() -> ExitCode {
    let matches = connection::without_empty_variables(Cli::command()).get_matches();
    let Cli { connection, verb } = Cli::from_arg_matches(&matches).unwrap_or_else(|fault| fault.exit());
    match verb {
        Verb::Demo(args) => demo::run(&args),
        Verb::SampleApp(args) => sample_app::run(&args),
        Verb::Run(args) => run::run(&args),
        Verb::Check(args) => check::check(&args).into(),
        Verb::Analyze(args) => analyze::analyze(&args).into(),
        Verb::Completions(args) => completions::print(&args).into(),
        Verb::Import(args) => import::command::import(&args).into(),
        verb => ask(&connection, verb).into(),
    }
}

/// Runs a verb that asks a running greenlight.
fn ask(connection: &Connection, verb: Verb) -> Exit {
    let format = verb.format();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return Fault::Internal(format!("no runtime: {why}")).report(format),
    };
    let answer = runtime.block_on(async {
        let admin = client::Admin::new(connection)?;
        match verb {
            Verb::Deploy(args) => deploy::deploy(&admin, &args).await,
            Verb::Status(args) => status::status(&admin, &args).await,
            Verb::Promote(args) => promote::promote(&admin, &args).await,
            Verb::Abort(args) => abort::abort(&admin, &args).await,
            Verb::Rollback(args) => rollback::rollback(&admin, &args).await,
            Verb::Pin(args) => pin::pin(&admin, &args).await,
            Verb::Unpin(args) => unpin::unpin(&admin, &args).await,
            Verb::Pause(args) => pause::pause(&admin, &args).await,
            Verb::Resume(args) => resume::resume(&admin, &args).await,
            Verb::History(args) => history::history(&admin, &args).await,
            Verb::Explain(args) => explain::explain(&admin, &args).await,
            Verb::Quarantine(args) => quarantine::quarantine(&admin, &args).await,
            Verb::Judge(args) => judge::judge(&admin, &args).await,
            Verb::Health(args) => health::health(&admin, &args).await,
            Verb::Reload(args) => reload::reload(&admin, &args).await,
            Verb::Demo(_)
            | Verb::SampleApp(_)
            | Verb::Run(_)
            | Verb::Check(_)
            | Verb::Analyze(_)
            | Verb::Import(_)
            | Verb::Completions(_) => Err(Fault::Internal("this verb asks nobody".into())),
        }
    });
    answer.unwrap_or_else(|fault| fault.report(format))
}
