//! The fuzz targets' checks, over their committed seeds and over thousands of mutations of them:
//! what `cargo fuzz` does for hours, in a second and the same each time.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use greenlight_testkit::fuzz::{body, configuration, forwarded, proxy_header, request, response};

/// Bytes that mean something to a parser, one of each kind that does not.
const BYTES: &[u8] = b"\r\n\t :;,/#@_-0A\x00\x7f\xff";

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("seed-"));
    paths.sort();
    assert!(paths.len() >= 8, "{target} has {} seeds", paths.len());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs the check, and says on which bytes it failed.
fn run(check: fn(&[u8]), data: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(data))) {
        eprintln!("failing input: {}", data.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

/// Every seed; with each byte replaced, removed, doubled; cut at each place and joined to another.
fn mutate(target: &str, check: fn(&[u8])) {
    let seeds = seeds(target);
    for (index, seed) in seeds.iter().enumerate() {
        run(check, seed);
        let other = &seeds[(index + 1) % seeds.len()];
        for at in 0..seed.len() {
            let (begin, rest) = seed.split_at(at);
            run(check, begin);
            run(check, &[begin, &rest[1..]].concat());
            run(check, &[begin, &rest[..1], rest].concat());
            run(check, &[begin, &other[at.min(other.len())..]].concat());
            for byte in BYTES {
                run(check, &[begin, &[*byte], &rest[1..]].concat());
                run(check, &[begin, &[*byte], rest].concat());
            }
        }
    }
}

#[test]
fn requests() {
    mutate("request", request::check);
}

#[test]
fn responses() {
    mutate("response", response::check);
}

#[test]
fn proxy_headers() {
    mutate("proxy_header", proxy_header::check);
}

#[test]
fn bodies() {
    mutate("body", body::check);
}

#[test]
fn forwarding() {
    mutate("forwarded", forwarded::check);
}

/// The golden files of `check`, each with two hundred random changes: a configuration is slower to read.
#[test]
fn configurations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut random = fastrand::Rng::with_seed(1);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let seed = fs::read(&path).unwrap();
        run(configuration::check, &seed);
        for _ in 0..200 {
            let mut data = seed.clone();
            for _ in 0..random.usize(1..=3) {
                if data.is_empty() {
                    break;
                }
                let at = random.usize(..data.len());
                let end = (at + random.usize(1..=12)).min(data.len());
                match random.u8(..3) {
                    0 => drop(data.drain(at..end)),
                    1 => data[at] = *random.choice(BYTES).unwrap(),
                    _ => {
                        let piece = data[at..end].to_vec();
                        data.splice(at..at, piece);
                    }
                }
            }
            run(configuration::check, &data);
        }
    }
}
