//! Real Docker Engines and registries for tests, each in a folder of its own, and images for them.
//!
//! Where engines can't run (no root, no dockerd), a test prints that it was left out. With
//! `GREENLIGHT_REQUIRE_ENGINES=1` it fails instead.

pub mod engine;
pub mod image;
pub mod registry;

use std::io::Write as _;
use std::path::PathBuf;

/// The path of a script of `tests/docker`.
fn script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/docker")).join(name)
}

/// Whether engines can run here. If not, this prints why the test is left out.
///
/// Panics instead if `GREENLIGHT_REQUIRE_ENGINES=1` is set.
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
    // The thread of a test has the test's name. The harness hides `println!` of a test that passes, so this
    // line is written to the standard error itself.
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
