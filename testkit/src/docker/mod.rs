//! Real Docker Engines and registries for tests, each in a folder of its own, and images for them.
//!
//! Where they can't be had (no root, no dockerd) a test prints that it was left out; with
//! `GREENLIGHT_REQUIRE_ENGINES=1` that is a failure.

pub mod engine;
pub mod image;
pub mod registry;

use std::io::Write as _;
use std::path::PathBuf;

/// A script of `tests/docker`.
fn script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/docker")).join(name)
}

/// Whether engines can be had here. Says so, or fails, if not.
pub fn available() -> bool {
    let missing: Vec<&str> = ["dockerd", "containerd", "docker-registry", "ip"]
        .into_iter()
        .filter(|name| !installed(name))
        .collect();
    let why = if !missing.is_empty() {
        format!("no {} here", missing.join(", "))
    } else if !rustix::process::geteuid().is_root() {
        "an engine needs root".to_owned()
    } else {
        return true;
    };
    assert!(std::env::var("GREENLIGHT_REQUIRE_ENGINES").as_deref() != Ok("1"), "left out: {why}");
    // A test's thread has its name. The harness keeps what a passed test prints; this is to be seen.
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "left out: {test}: {why}");
    false
}

fn installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .any(|folder| folder.join(name).is_file())
}
