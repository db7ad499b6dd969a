#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{fmt, registry};

use super::*;

/// Returns which of five lines a level lets through.
fn passed(level: &str) -> Vec<&'static str> {
    let text = Arc::new(Mutex::new(Vec::new()));
    let out = Arc::clone(&text);
    let lines = fmt::layer().with_writer(move || Shared(Arc::clone(&out)));
    tracing::subscriber::with_default(registry().with(filter(level)).with(lines), || {
        tracing::trace!(target: "greenlight::app", "own-trace");
        tracing::debug!(target: "greenlight::app", "own-debug");
        tracing::trace!(target: "bollard::docker", "library-trace");
        tracing::debug!(target: "bollard::docker", "library-debug");
        tracing::info!(target: "bollard::docker", "library-info");
    });
    let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
    let all = ["own-trace", "own-debug", "library-trace", "library-debug", "library-info"];
    all.into_iter().filter(|line| text.contains(line)).collect()
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn libraries_stay_at_info_unless_a_person_names_them() {
    assert_eq!(passed("info"), ["library-info"]);
    for level in ["debug", "DEBUG", "4", " debug ", "greenlight::app=debug,debug", "debug,debug"] {
        assert_eq!(passed(level), ["own-debug", "library-info"], "{level}");
    }
    for level in ["trace", "info,trace", "5"] {
        assert_eq!(passed(level), ["own-trace", "own-debug", "library-info"], "{level}");
    }
    assert_eq!(passed("bollard=debug"), ["library-debug", "library-info"]);
    assert_eq!(passed("debug,bollard=trace").len(), 4);
    assert_eq!(passed("error"), Vec::<&str>::new());
    // A person's narrower word for a part of greenlight holds.
    assert_eq!(passed("debug,greenlight=info"), ["library-info"]);
}
