//! `demo` shows a good release and a bad one on one machine.
//!
//! Every part is real. The front door is `greenlight run` on a configuration file, the upstreams are
//! processes that listen, the load is requests over sockets, and the judge does not know which release is
//! bad. The integration tests start their front doors and upstreams with the same modules.

mod cast;
pub mod child;
pub mod client;
pub mod door;
pub mod load;
mod moment;
pub mod origin;
pub mod ports;
mod rundown;
mod screen;
mod stage;
mod story;
pub mod tally;
pub mod trouble;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use stage::Stage;
use story::{Outcome, Story};
use trouble::Trouble;

/// A good release and a bad one on this machine: a real front door, real processes, steady load
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Keep everything running at the end, until Ctrl-C
    #[arg(long)]
    pub stay: bool,
    /// Print lines even on a terminal
    #[arg(long)]
    pub plain: bool,
}

/// Runs the demo. The exit code is 0 only if the good release succeeded without a lost request and the bad
/// release was reverted.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("greenlight: demo: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(interruptible(args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("greenlight: demo: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the demo until its end or Ctrl-C. Ctrl-C drops the story, and the drop kills every process of the
/// story.
async fn interruptible(args: &Args) -> Result<bool, Trouble> {
    tokio::select! {
        outcome = perform(args) => outcome,
        _ = tokio::signal::ctrl_c() => {
            println!("\nstopped");
            Ok(false)
        }
    }
}

async fn perform(args: &Args) -> Result<bool, Trouble> {
    let stage = Stage::set()?;
    for note in &stage.notes {
        println!("{note}");
    }
    println!("front door http://{} (Host: {}), admin http://{}", stage.listener, stage.host, stage.admin);
    println!("configuration, store and log in {}\n", stage.folder.display());
    let exe = std::env::current_exe()
        .map_err(|source| Trouble::Start { what: "this program again".to_owned(), source })?;
    let mut story = Story::begin(stage, exe, args.plain).await?;
    let outcome = story.play().await?;
    println!("\n{}", summary(&outcome, &story.stage, args.stay));
    if args.stay {
        // The front door ends only by itself. Ctrl-C drops this future.
        story.door.wait().await?;
        return Ok(outcome.is_as_promised());
    }
    story.end().await?;
    Ok(outcome.is_as_promised())
}

/// The last text of the demo: how many requests were lost, where the record is, and which commands to try
/// next.
fn summary(outcome: &Outcome, stage: &Stage, stays: bool) -> String {
    let counts = &outcome.counts;
    let (good, bad) = (&outcome.good, &outcome.bad);
    let mut lines = vec![
        format!("{} requests: {} answered, {} failed", counts.total(), counts.good(), counts.lost()),
        format!("{} ({}): {}, {} requests lost", good.id, good.version, good.state, outcome.good_lost),
        format!("{} ({}): {}: {}", bad.id, bad.version, bad.state, bad.reason),
        format!("the decision's record: {}", outcome.record.display()),
    ];
    if !outcome.is_as_promised() {
        lines.push(
            "NOT as promised: the good one has to succeed with 0 lost, the bad one to be reverted".into(),
        );
        lines.extend(counts.losses.iter().take(5).map(|loss| format!("  lost: {}", loss.what)));
    }
    let admin = format!("--admin http://{}", stage.admin);
    if stays {
        let service = &stage.service;
        lines.push("\neverything goes on until Ctrl-C; in another terminal:".to_owned());
        lines.extend(
            [
                format!("greenlight explain {} {admin}", bad.id),
                format!("greenlight status {service} --watch {admin}"),
                format!("greenlight deploy {service} --version v4 --wait {admin}"),
                format!("greenlight rollback {service} {admin}"),
                format!("greenlight history {service} {admin}"),
            ]
            .map(|command| format!("  {command}")),
        );
        lines.push(format!("  curl -i -H 'Host: {}' http://{}/", stage.host, stage.listener));
    } else {
        lines.push(format!(
            "run it with --stay and it goes on, for `greenlight explain {} {admin}` and more",
            bad.id
        ));
    }
    lines.join("\n")
}
