//! Circles of imports stay as few and as small as they are.

use super::graph::Graph;
use super::source::Source;
use super::{clean, product};

/// How many files the circles of a room have, the largest first. A number here goes down, never up.
///
/// What is left is one thing each: a worker with its connections to origins, a request with the
/// connection that it came on, and the state graph itself.
const ALLOWED: &[(&str, &[usize])] = &[("data_plane", &[11, 5]), ("release", &[4, 2])];

fn grown(sources: &[Source], allowed: &[(&str, &[usize])]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for circle in Graph::of(sources).circles() {
        let Some(source) = sources.iter().find(|source| circle.contains(&source.path)) else { continue };
        let room = source.room().unwrap_or_default();
        let place = seen.iter().filter(|(other, _)| *other == room).count();
        seen.push((room, circle.len()));
        let sizes = allowed.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, sizes)| sizes);
        let most = sizes.get(place).copied().unwrap_or(1);
        if circle.len() > most {
            let files: Vec<&str> = circle.iter().map(String::as_str).collect();
            findings.push(format!(
                "{room}: {} files import each other in a circle, {most} at most here: {}",
                circle.len(),
                files.join(" ")
            ));
        }
    }
    findings
}

#[test]
fn circles_of_imports_do_not_grow() {
    clean(&grown(&product(), ALLOWED));
}

#[test]
fn a_circle_is_found_through_a_reexport() {
    let sources = [
        Source::new("src/lib.rs", "pub mod a;"),
        Source::new("src/a/mod.rs", "mod b; mod c;\npub use b::B;"),
        Source::new("src/a/b.rs", "use super::c::C;\npub struct B;"),
        Source::new("src/a/c.rs", "use crate::a::B;\npub struct C;"),
    ];
    assert_eq!(grown(&sources, &[]).len(), 1);
    assert_eq!(grown(&sources, &[("a", &[2])]), [""; 0]);
    let straight = [&sources[..3], &[Source::new("src/a/c.rs", "pub struct C;")]].concat();
    assert_eq!(grown(&straight, &[]), [""; 0]);
}
