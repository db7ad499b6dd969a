//! Reads `[limits]` and `[log]`.

use std::time::Duration;

use crate::config::kind::{duration, integer, size, some_time, text_that, time_or_off};
use crate::config::nearest::nearest;
use crate::config::quantity::Size;
use crate::config::section::Section;
use crate::config::shown::quoted;
use crate::config::walk::{Item, Walk};
use crate::config::{Access, Limits, Log, LogFormat, Shown};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const CONNECTIONS_MAX: usize = 10_000_000;
/// Servers of gRPC end a connection that is pinged more often, and clients of gRPC don't go below it
/// (gRFC A8).
const ORIGIN_PING_INTERVAL_MIN: Duration = Duration::from_secs(10);

pub(super) fn limits(limits: &mut Section<'_, '_>) -> Limits {
    let default = Limits::default();
    Limits {
        header_block_bytes_max: bytes(limits, "header_block_max", KIB, MIB, default.header_block_bytes_max),
        header_count_max: limits.value("header_count_max", integer(1..=1000), default.header_count_max),
        target_bytes_max: bytes(limits, "target_max", 64, MIB, default.target_bytes_max),
        detection_timeout: limits.value("detection_timeout", some_time(), default.detection_timeout),
        request_head_timeout: limits.value("request_head_timeout", some_time(), default.request_head_timeout),
        keep_alive_timeout: limits.value("keep_alive_timeout", some_time(), default.keep_alive_timeout),
        body_stall_timeout: limits.value("body_stall_timeout", some_time(), default.body_stall_timeout),
        write_stall_timeout: limits.value("write_stall_timeout", some_time(), default.write_stall_timeout),
        connections_max: limits.value(
            "connections_max",
            integer(0..=CONNECTIONS_MAX),
            default.connections_max,
        ),
        connections_per_address_max: limits.value(
            "connections_per_address_max",
            integer(0..=CONNECTIONS_MAX),
            default.connections_per_address_max,
        ),
        h2_streams_max: limits.value("h2_streams_max", integer(1..=100_000), default.h2_streams_max),
        // A window begins at 65 535 bytes and may grow to 2^31 - 1 (RFC 9113 section 6.9.2).
        h2_stream_window: window(limits, "h2_stream_window", default.h2_stream_window),
        h2_connection_window: window(limits, "h2_connection_window", default.h2_connection_window),
        h2_ping_interval: limits.value("h2_ping_interval", duration(..), default.h2_ping_interval),
        h2_origin_ping_interval: limits.value(
            "h2_origin_ping_interval",
            time_or_off(ORIGIN_PING_INTERVAL_MIN),
            default.h2_origin_ping_interval,
        ),
        h2_ping_timeout: limits.value("h2_ping_timeout", some_time(), default.h2_ping_timeout),
        shutdown_timeout: limits.value("shutdown_timeout", duration(..), default.shutdown_timeout),
    }
}

fn bytes(limits: &mut Section<'_, '_>, key: &'static str, least: u64, most: u64, default: usize) -> usize {
    let value = limits.value(key, size(least..=most), Size(default as u64));
    usize::try_from(value.0).unwrap_or(default)
}

fn window(limits: &mut Section<'_, '_>, key: &'static str, default: u32) -> u32 {
    let value = limits.value(key, size(64 * KIB..=1024 * MIB), Size(u64::from(default)));
    u32::try_from(value.0).unwrap_or(default)
}

impl Shown for Access {
    fn shown(&self) -> String {
        match self {
            Self::Off => quoted("off"),
            Self::Stdout => quoted("stdout"),
            Self::File(path) => path.shown(),
        }
    }
}

pub(super) fn log(log: &mut Section<'_, '_>) -> Log {
    Log {
        level: log.value("level", text_that("a level, such as \"info\"", check_level), "info".to_owned()),
        format: log.word("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)], LogFormat::Text),
        access: log.value("access", access, Access::Off),
    }
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Checks a level, or `target=level` pieces with commas between them. `tracing` itself takes any word as a
/// target. With the typo "inof" it would silently log everything of a module that does not exist.
fn check_level(text: &str) -> Result<(), String> {
    for piece in text.split(',').map(str::trim) {
        let (target, level) = match piece.rsplit_once('=') {
            Some((target, level)) => (Some(target), level),
            None => (None, piece),
        };
        if !LEVELS.contains(&level) {
            return Err(match nearest(level, LEVELS) {
                Some(word) => format!("has the unknown level \"{level}\": \"{word}\" is the nearest"),
                None => format!(
                    "has the unknown level \"{level}\": error, warn, info, debug, trace or off, \
                     as in \"greenlight::proxy=debug,info\""
                ),
            });
        }
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-');
        if let Some(target) = target.filter(|target| target.is_empty() || !target.chars().all(sound)) {
            return Err(format!("has the bad target \"{target}\": such as \"greenlight::proxy=debug,info\""));
        }
    }
    Ok(())
}

/// `off`, `stdout`, or a file. A word without a slash or a dot is most likely a misspelling of the first
/// two, so it is refused.
fn access(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<Access> {
    match item.value.as_str() {
        Some("off") => return Some(Access::Off),
        Some("stdout") => return Some(Access::Stdout),
        Some(word) if !word.is_empty() && !word.contains(['/', '.']) => {
            let meant = nearest(word, ["off", "stdout"])
                .map_or(String::new(), |word| format!("\"{word}\" is the nearest; "));
            walk.fault(
                &item.path,
                format!(
                    "is not \"off\" or \"stdout\": {meant}a file would be \"./{word}\" or \"{word}.log\""
                ),
            );
            return None;
        }
        _ => {}
    }
    crate::config::kind::path(walk, item).map(Access::File)
}
