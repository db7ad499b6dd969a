//! The upstream processes of both colors.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::origin::DemoOrigin;
use super::trouble::Trouble;
use crate::model::{Color, PerColor};

/// How long a fresh process answers 503 to probes before it is healthy. Real services need such a time too.
const START_DELAY: &str = "1500ms";

/// The upstream processes of each color, and the addresses on which they listen.
#[derive(Debug)]
pub(super) struct Cast {
    exe: PathBuf,
    addresses: PerColor<Vec<SocketAddr>>,
    running: PerColor<Vec<DemoOrigin>>,
}

impl Cast {
    /// No process runs yet. `exe` is this program; `addresses` lists the endpoints of each color.
    #[must_use]
    pub(super) fn new(exe: PathBuf, addresses: PerColor<Vec<SocketAddr>>) -> Self {
        Self { exe, addresses, running: PerColor::default() }
    }

    /// Kills the running processes of a color and starts new ones with a version. With `is_warm` they are
    /// healthy at once, otherwise after [`START_DELAY`].
    pub(super) async fn enter(&mut self, color: Color, version: &str, is_warm: bool) -> Result<(), Trouble> {
        for mut upstream in std::mem::take(&mut self.running[color]) {
            upstream.kill().await?;
        }
        let delay = if is_warm { "0s" } else { START_DELAY };
        for address in &self.addresses[color] {
            let options = ["--version-label", version, "--start-delay", delay];
            let upstream = DemoOrigin::start(&self.exe, color.as_str(), *address, &options).await?;
            self.running[color].push(upstream);
        }
        Ok(())
    }

    /// From now on this share (0 to 1) of a color's requests fails.
    pub(super) async fn fail(&self, color: Color, share: f64) -> Result<(), Trouble> {
        for upstream in &self.running[color] {
            upstream.fail(share).await?;
        }
        Ok(())
    }
}
