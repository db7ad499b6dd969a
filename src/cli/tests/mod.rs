//! Tests of the command line: arguments, exit codes, texts, and the wait against an API that restarts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod arguments;
mod following;
mod texts;

use clap::CommandFactory;

use super::Cli;
use super::exit::Exit;
use super::fault::Fault;
use crate::control_plane::admin::Problem;
use crate::release::StateName;

#[test]
fn the_command_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_verb_shows_how_it_is_used() {
    for verb in
        Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "demo")
    {
        let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(
            help.contains(&format!("greenlight {}", verb.get_name())),
            "{} has no example",
            verb.get_name()
        );
        assert!(verb.get_about().is_some(), "{}", verb.get_name());
    }
}

#[test]
fn every_state_has_its_exit_code() {
    let codes = [
        (StateName::Succeeded, 0),
        (StateName::Failed, 3),
        (StateName::Cancelled, 3),
        (StateName::Reverted, 4),
        (StateName::RolledBack, 4),
        (StateName::Degraded, 7),
        (StateName::Baking, 1),
    ];
    for (state, code) in codes {
        assert_eq!(Exit::of_state(state) as u8, code, "{state}");
    }
}

fn problem(status: u16) -> Fault {
    Fault::Problem(Box::new(Problem {
        kind: "urn:greenlight:problem:test".into(),
        title: "Test".into(),
        status,
        detail: "the detail".into(),
        code: None,
        faults: vec!["a.b: wrong".into()],
    }))
}

#[test]
fn every_fault_has_its_exit_code() {
    for (status, code) in [(409, 6), (412, 6), (400, 2), (401, 2), (404, 2), (422, 2), (503, 1)] {
        assert_eq!(problem(status).exit() as u8, code, "{status}");
    }
    let unreachable = Fault::Unreachable { admin: "http://x/".into(), why: "refused".into() };
    assert_eq!(unreachable.exit() as u8, 1);
    assert_eq!(Fault::Usage("x".into()).exit() as u8, 2);
}

#[test]
fn a_fault_is_a_sentence_with_the_next_step() {
    let unreachable = Fault::Unreachable { admin: "http://x/".into(), why: "refused".into() };
    let text = unreachable.to_string();
    assert!(text.contains("greenlight run") && text.contains("--admin"), "{text}");
    assert!(problem(401).to_string().contains("--token-file"));
    assert!(problem(404).to_string().contains("greenlight status"));
    assert_eq!(problem(409).to_string(), "refused: the detail\n  a.b: wrong");
}
