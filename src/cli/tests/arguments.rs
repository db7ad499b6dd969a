//! Tests of the arguments that a person types.

use std::time::Duration;

use clap::{CommandFactory, Parser};

use crate::cli::output::Format;
use crate::cli::{Cli, Verb, span};

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("greenlight").chain(line.split_whitespace()))
}

#[test]
fn correct_command_lines_are_accepted() {
    for line in [
        "run",
        "run -c x.toml",
        "run x.toml",
        "check -c x.toml",
        "analyze x.toml --service shop --replay access.log",
        "analyze -c x.toml --service shop --replay access.log",
        "check x.toml",
        "deploy shop",
        "deploy shop image:tag --version v2 --auto-promote false --wait --timeout 20m --force",
        "status",
        "status shop --watch -o json",
        "promote shop --force",
        "abort shop",
        "rollback shop --to shop-1 --quarantine --force --wait",
        "pin shop --for 1h30m --reason holiday",
        "unpin shop",
        "pause shop",
        "resume shop",
        "history shop --limit 3",
        "explain shop-1 -o json",
        "quarantine ls",
        "quarantine rm shop sha256:ab/cd",
        "reload",
        "completions bash",
        "demo",
        "sample-app",
        "status --admin https://admin.example.org --token-file t --ca ca.pem --identity id.pem",
        "--admin http://127.0.0.1:1 status",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn every_verb_that_can_be_refused_answers_in_json() {
    for line in [
        "deploy shop",
        "promote shop",
        "abort shop",
        "rollback shop",
        "pin shop",
        "unpin shop",
        "pause shop",
        "resume shop",
        "history shop",
        "status shop",
        "explain shop-1",
        "quarantine ls",
        "quarantine rm shop v2",
        "reload",
    ] {
        assert_eq!(parse(line).unwrap().verb.format(), Format::Text, "{line}");
        assert_eq!(parse(&format!("{line} -o json")).unwrap().verb.format(), Format::Json, "{line}");
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for line in [
        "",
        "deploy",
        "deploy ..",
        "deploy shop --timeout 5m",
        "deploy shop --wait --timeout 0s",
        "deploy shop --auto-promote maybe",
        "pin shop --for soon",
        "history shop --limit 0",
        "status -o xml",
        "quarantine",
        "completions tcsh",
        "analyze",
        "teleport",
    ] {
        let fault = parse(line).unwrap_err();
        assert_eq!(fault.exit_code(), 2, "{line}");
    }
}

#[test]
fn run_has_default_paths_and_addresses() {
    let cli = parse("run").unwrap();
    assert_eq!(cli.connection.admin, "http://127.0.0.1:9900");
    let Verb::Run(args) = cli.verb else { panic!("it is run") };
    assert_eq!(args.config.path(), std::path::Path::new("/etc/greenlight/greenlight.toml"));
}

#[test]
fn durations_as_typed_and_as_sent() {
    for (typed, sent) in [
        ("90s", "90s"),
        ("1h30m", "5400s"),
        ("1h 30m", "5400s"),
        ("250ms", "250ms"),
        ("2days 1s", "2d1s"),
        ("1week", "7d"),
    ] {
        assert_eq!(span::api(span::parse(typed).unwrap()), sent, "{typed}");
    }
    for typed in ["0s", "", "1", "soon", "100ns", "1000d"] {
        assert!(span::parse(typed).is_err(), "{typed}");
    }
    assert_eq!(span::clock(Duration::from_secs(247)), "4:07");
    assert_eq!(span::clock(Duration::from_secs(3723)), "1:02:03");
}

#[test]
fn completions_name_every_verb() {
    let mut script = Vec::new();
    clap_complete::generate(clap_complete::Shell::Bash, &mut Cli::command(), "greenlight", &mut script);
    let script = String::from_utf8(script).unwrap();
    for verb in ["deploy", "rollback", "quarantine", "completions"] {
        assert!(script.contains(verb), "{verb}");
    }
}
