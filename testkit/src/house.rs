//! A whole door (`greenlight run`) on free ports, with real upstream processes behind it.
//!
//! The processes and the load are those of the demo (`greenlight::cli::demo`), so these tests run the code
//! that a person sees there. No wait is a fixed sleep. Every wait looks for its condition, and its limit is
//! only the time after which the test gives up.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use greenlight::cli::demo::client::{Connection, request};
use greenlight::cli::demo::door::{Admin, Door};
use greenlight::cli::demo::load::{Load, Plan};
use greenlight::cli::demo::origin::DemoOrigin;
use greenlight::cli::demo::ports;
use greenlight::cli::demo::trouble::Trouble;
use greenlight::model::{Color, PerColor};
use tempfile::TempDir;
use tokio::sync::{RwLock, RwLockReadGuard};

/// A lock for the machine. Every house holds it shared, and a test that measures the whole machine holds it
/// alone.
pub static MACHINE: RwLock<()> = RwLock::const_new(());

/// The name of the service under test.
pub const SERVICE: &str = "backend";
/// The host of the service under test.
pub const HOST: &str = "backend.example.org";
/// The longest time that a process may take to start, on a busy machine.
pub const START: Duration = Duration::from_secs(20);
/// The time after which a test gives up waiting for a step of a release.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The path of the program under test.
pub fn exe() -> &'static Path {
    static EXE: OnceLock<PathBuf> = OnceLock::new();
    EXE.get_or_init(|| {
        // `cargo test` sets the variable. Without cargo it is target/PROFILE/greenlight, in the folder above
        // that of the test programs.
        std::env::var_os("CARGO_BIN_EXE_greenlight").map_or_else(
            || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("greenlight"),
            PathBuf::from,
        )
    })
}

/// A free loopback address that this function has not returned before in this process.
pub fn address() -> SocketAddr {
    static GIVEN: Mutex<Vec<SocketAddr>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().unwrap();
    let address = ports::free_address(&given).expect("a free port");
    given.push(address);
    address
}

/// The parts of a house that differ between tests: lines of the configuration, and the start of the
/// upstreams.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Processes of each color.
    pub processes: usize,
    /// Lines of the service's `upstream` section.
    pub upstream: &'static str,
    /// Lines of the service's `health` section.
    pub health: &'static str,
    /// Lines of the service's `release` section.
    pub release: &'static str,
    /// Lines of the service's `analysis` section.
    pub analysis: &'static str,
    /// Options of `sample-app` for the processes of green.
    pub green: &'static [&'static str],
    /// More sections of the configuration.
    pub more: String,
    /// The file, or the pipe, that takes the door's output; a file of the house if it is `None`.
    pub log: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            processes: 2,
            upstream: "",
            health: "",
            release: "",
            analysis: "",
            green: &[],
            more: String::new(),
            log: None,
        }
    }
}

/// A configuration file, and the free addresses that it names.
#[derive(Debug)]
pub struct Written {
    pub listener: SocketAddr,
    pub admin: SocketAddr,
    pub file: PathBuf,
}

/// Writes a configuration with these upstreams into `folder`.
pub fn write_config(folder: &Path, setup: &Setup, upstreams: &PerColor<Vec<SocketAddr>>) -> Written {
    let (listener, admin) = (address(), address());
    let store = folder.join("store");
    let mut text = format!(
        "[runtime]\nworkers = 2\n[[listeners]]\nbind = \"{listener}\"\n[admin]\nbind = \"{admin}\"\n\
         [store]\npath = \"{}\"\n[services.{SERVICE}]\nhosts = [\"{HOST}\"]\n\
         [services.{SERVICE}.upstream]\nkind = \"fixed\"\n{}\n",
        store.display(),
        setup.upstream
    );
    for (color, addresses) in upstreams.iter() {
        let listed: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        writeln!(text, "{color} = {listed:?}").unwrap();
    }
    for (section, lines) in
        [("health", setup.health), ("release", setup.release), ("analysis", setup.analysis)]
    {
        writeln!(text, "[services.{SERVICE}.{section}]\n{lines}").unwrap();
    }
    text.push_str(&setup.more);
    let file = folder.join("greenlight.toml");
    std::fs::write(&file, text).unwrap();
    Written { listener, admin, file }
}

/// A door and its upstreams. Everything ends when this value is dropped.
#[derive(Debug)]
pub struct House {
    pub door: Door,
    pub upstreams: PerColor<Vec<DemoOrigin>>,
    pub listener: SocketAddr,
    folder: TempDir,
    _machine: RwLockReadGuard<'static, ()>,
}

impl House {
    /// Starts upstreams of both colors and a door, and waits until the door is ready.
    pub async fn open(setup: &Setup) -> Self {
        let machine = MACHINE.read().await;
        let folder = tempfile::tempdir().unwrap();
        let mut upstreams = PerColor::<Vec<DemoOrigin>>::default();
        for color in Color::ALL {
            let options = if color == Color::Green { setup.green } else { &[] };
            for _ in 0..setup.processes {
                let upstream = DemoOrigin::start(exe(), color.as_str(), address(), options).await.unwrap();
                upstreams[color].push(upstream);
            }
        }
        let addresses = PerColor::from_fn(|color| upstreams[color].iter().map(|one| one.address).collect());
        let written = write_config(folder.path(), setup, &addresses);
        let log = setup.log.clone().unwrap_or_else(|| folder.path().join("greenlight.log"));
        let mut door = Door::start(exe(), &written.file, &log, written.admin).unwrap();
        door.ready(START).await.unwrap();
        Self { door, upstreams, listener: written.listener, folder, _machine: machine }
    }

    /// Starts a door before upstreams of the test's own, and waits until it is ready. The upstreams have to
    /// answer probes.
    pub async fn open_before(setup: &Setup, upstreams: &PerColor<Vec<SocketAddr>>) -> Self {
        let machine = MACHINE.read().await;
        let folder = tempfile::tempdir().unwrap();
        let written = write_config(folder.path(), setup, upstreams);
        let log = setup.log.clone().unwrap_or_else(|| folder.path().join("greenlight.log"));
        let mut door = Door::start(exe(), &written.file, &log, written.admin).unwrap();
        door.ready(START).await.unwrap();
        let upstreams = PerColor::default();
        Self { door, upstreams, listener: written.listener, folder, _machine: machine }
    }

    /// The client of the door's admin API.
    pub fn admin(&self) -> &Admin {
        &self.door.admin
    }

    /// Starts the door again with the same file and store. Does not wait until it is ready.
    pub fn start_again(&mut self) {
        let log = self.folder.path().join("greenlight.log");
        self.door = Door::start(exe(), &self.door.config, &log, self.door.admin.address).unwrap();
    }

    /// Starts a load through the door, with `rate` requests a second, or as fast as it can.
    pub fn load(&self, connections: u32, rate: Option<f64>) -> Load {
        Load::start(&Plan {
            target: self.listener,
            host: HOST.to_owned(),
            path: "/".to_owned(),
            connections,
            rate,
            timeout: Duration::from_secs(10),
        })
    }

    /// Sends one request on a connection of its own. Returns the status, and the name of the app that has
    /// answered.
    ///
    /// The error says that the connection failed, or that no answer came within 5 s.
    pub async fn ask(&self) -> Result<(u16, Option<String>), Trouble> {
        let what = "a request through the front door".to_owned();
        let exchange =
            async { Connection::open(self.listener).await?.ask(&request("GET", "/", HOST, None)).await };
        match tokio::time::timeout(Duration::from_secs(5), exchange).await {
            Ok(Ok(answer)) => Ok((answer.status, answer.field("x-app").map(str::to_owned))),
            Ok(Err(source)) => Err(Trouble::Talk { what, source }),
            Err(_) => Err(Trouble::Late { what, limit: Duration::from_secs(5), detail: String::new() }),
        }
    }

    /// Waits until the service is in this state.
    pub async fn until_state(&self, state: &str) {
        let what = format!("state {state}");
        self.admin()
            .until(SERVICE, &what, PATIENCE, |service| service.state.as_str() == state)
            .await
            .unwrap();
    }

    /// Returns the value of a metric without labels; `None` while there is no such metric.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let answer = self.admin().ask("GET", "/metrics", None).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Waits until this release is final, and returns its state.
    pub async fn until_final(&self, release: &str) -> String {
        let view = self
            .admin()
            .until(SERVICE, "the release's end", PATIENCE, |service| {
                service.release.as_ref().is_some_and(|last| last.id == release && last.state.is_final())
            })
            .await
            .unwrap();
        view.release.map(|last| last.state.to_string()).unwrap_or_default()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the front door's last lines\n{}", self.door.tail());
        }
    }
}
