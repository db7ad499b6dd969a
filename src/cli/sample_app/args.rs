//! The arguments of the sample app.

use std::net::SocketAddr;
use std::time::Duration;

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

/// Parses a share between 0 and 1. The error is a sentence for the person who typed it.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.parse().map_err(|_| format!("\"{text}\" is not a number: 0.05 is five in a hundred"))?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{text} is not a share: 0 is never, 1 is always"))
    }
}
