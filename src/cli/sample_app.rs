//! `sample-app` is a small real upstream for the demo and the tests.
//!
//! It is a hidden verb of the same binary, so that the demo and the tests need no other program. The sample
//! app names its color in every answer. The command line, or later a `POST /__app`, sets how it fails. The
//! sample app ends when its standard input ends, so that no process stays behind when its parent is killed.

mod args;
mod behavior;
mod server;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

pub use args::Args;
use behavior::Behavior;
pub use behavior::{Change, Report};

/// The exit code of a crash (EX_SOFTWARE of sysexits.h).
const CRASHED: u8 = 70;
/// The longest time that requests in flight may take after SIGTERM.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves until SIGTERM, or until the standard input ends. Exits with 70 after a crash that `--crash-after`
/// asks for, and with 1 when the address can't be bound.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("greenlight: sample-app: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut args = args.clone();
    if let Some(port) = args.port {
        args.listen.set_port(port);
    }
    let args = &args;
    match runtime.block_on(serve_until_crash(args)) {
        Ok(true) => ExitCode::from(CRASHED),
        Ok(false) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("greenlight: sample-app on {}: {error}", args.listen);
            ExitCode::FAILURE
        }
    }
}

/// Serves, and returns true if the time of `--crash-after` ended it.
async fn serve_until_crash(args: &Args) -> std::io::Result<bool> {
    let Some(after) = args.crash_after else { return serve(args).await.map(|()| false) };
    if let Ok(ended) = tokio::time::timeout(after, serve(args)).await {
        return ended.map(|()| false);
    }
    eprintln!("greenlight: sample-app: {} {} crashes on purpose", args.name, args.version_label);
    Ok(true)
}

async fn serve(args: &Args) -> std::io::Result<()> {
    let behavior = Arc::new(Behavior::new(args));
    let mut terminate = signal(SignalKind::terminate())?;
    let input_ended = crate::app::input_end(!args.no_stdin_exit);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            () = input_ended => {}
        }
    };
    tokio::pin!(stop);

    if args.refuse_until_ready {
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(args.start_delay) => {}
        }
    }
    let listener = TcpListener::bind(args.listen).await?;
    announce(listener.local_addr()?)?;

    let (stopping, stopped) = oneshot::channel();
    let server = server::serve(listener, behavior, stopped);
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => return ended,
        () = stop => drop(stopping),
    }
    tokio::time::timeout(FINISH_TIMEOUT, server).await.unwrap_or(Ok(()))
}

/// Prints the address as one line of JSON. A parent that gave port 0 learns the port from it.
fn announce(address: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::json!({ "listening": address.to_string() }))?;
    out.flush()
}
