//! `sample-app`: a small real upstream for the demo and the tests.
//!
//! It is a hidden role of the same binary, so that both need nothing but that binary. It names its
//! color in every answer, and how it fails can be set on the command line or, at a known moment,
//! by `POST /__app`. It ends when its standard input does, so that none is left behind when the
//! process that started it is killed.

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

use behavior::Behavior;
pub use behavior::{Change, Report};

/// The exit code of a crash (EX_SOFTWARE of sysexits.h).
const CRASHED: u8 = 70;
/// How long requests in flight may take after SIGTERM.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// A small upstream that can be told to be slow, ill or wrong.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Where to listen; port 0 takes a free one. The address is printed as a line of JSON
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Listen on this port instead: what platforms, and greenlight on the host's network, tell an app
    #[arg(long, value_name = "PORT", env = "PORT")]
    pub port: Option<u16>,
    /// Named in every answer: `X-App: NAME`
    #[arg(long, value_name = "TEXT", default_value = "app")]
    pub name: String,
    /// Named in every answer: `X-Version: LABEL`
    #[arg(long, value_name = "LABEL", default_value = "v1")]
    pub version_label: String,
    /// Until then the health path answers 503
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub start_delay: Duration,
    /// Do not even listen before the start delay is over
    #[arg(long)]
    pub refuse_until_ready: bool,
    /// Share of requests that fail, 0 to 1; probes never do
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub error_rate: f64,
    /// Begin to fail this long after the start
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub error_after: Duration,
    /// The status of a failed request
    #[arg(long, value_name = "STATUS", default_value_t = 500, value_parser = clap::value_parser!(u16).range(200..=599))]
    pub error_status: u16,
    /// Wait this long before each answer; probes are answered at once
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub latency: Duration,
    /// The health path alternates: healthy for so long, then ill for so long
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub flap: Option<Duration>,
    /// The path that answers for the health; probes (by their User-Agent) are answered so everywhere
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub health_path: String,
    /// End with exit code 70, and say why, this long after the start
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub crash_after: Option<Duration>,
    /// Go on when the standard input ends
    #[arg(long)]
    pub no_stdin_exit: bool,
}

/// A share: 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.parse().map_err(|_| format!("\"{text}\" is not a number: 0.05 is five in a hundred"))?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{text} is not a share: 0 is never, 1 is always"))
    }
}

/// Serves until SIGTERM, or until the standard input ends.
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

/// Whether it crashed, as it was asked to.
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

/// One line, for whoever started us on port 0.
fn announce(address: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::json!({ "listening": address.to_string() }))?;
    out.flush()
}
