//! The table of every state by every event. Each pair is handled, or refused with a name. The table is
//! committed, so that a change of any pair shows in a review.

use std::fmt::Write as _;

use greenlight::model::{Color, ServiceName, Tick};
use greenlight::release::{Event, Policy, State, step};

use crate::golden::{compare, folder};
use crate::parse::{Words, event, policy, tick};
use crate::render;

/// The events that lead into each state, as in the stories.
const STATES: &[(&str, &str, &[&str])] = &[
    ("stable", "", &["0 health blue 1/1"]),
    ("queued", "", &["0 health blue 1/1", "1 deploy version=v2 webhook"]),
    ("pulling", "upstream=managed", &["0 health blue 1/1", "1 deploy version=v2"]),
    ("starting", "upstream=managed", &["0 health blue 1/1", "1 deploy version=v2", "2 pulled"]),
    ("checking", "", &["0 health blue 1/1", "1 deploy version=v2"]),
    (
        "awaiting_promotion",
        "auto_promote=false",
        &["0 health blue 1/1", "1 deploy version=v2", "2 health green 1/1", "12 deadline"],
    ),
    ("checking (canary)", "canary_percent=5", SWITCHED),
    ("promoting", "", SWITCHED),
    ("baking", "", &[SWITCHED[0], SWITCHED[1], SWITCHED[2], SWITCHED[3], "13 ack baseline=60000/60"]),
    (
        "reverting (waiting)",
        "",
        &[
            SWITCHED[0],
            SWITCHED[1],
            SWITCHED[2],
            SWITCHED[3],
            "13 ack",
            "14 health blue 0/1",
            "15 health green 0/1 refused",
        ],
    ),
    (
        "reverting (swapped)",
        "",
        &[SWITCHED[0], SWITCHED[1], SWITCHED[2], SWITCHED[3], "13 ack", "15 health green 0/1 refused"],
    ),
    (
        "degraded (pinned)",
        "",
        &[
            SWITCHED[0],
            SWITCHED[1],
            SWITCHED[2],
            SWITCHED[3],
            "13 ack",
            "14 pin",
            "15 health green 0/1 refused",
        ],
    ),
    (
        "degraded (hold)",
        "on_trip=hold",
        &[SWITCHED[0], SWITCHED[1], SWITCHED[2], SWITCHED[3], "13 ack", "15 health green 0/1 refused"],
    ),
    (
        "degraded (old_sick)",
        "bake_time=2s",
        &[
            SWITCHED[0],
            SWITCHED[1],
            SWITCHED[2],
            SWITCHED[3],
            "13 ack",
            "14 health blue 0/1 refused",
            "14 health green 0/1 refused",
            "19 deadline",
        ],
    ),
    (
        "degraded (inconclusive)",
        "bake_time=2s on_inconclusive=hold",
        &[SWITCHED[0], SWITCHED[1], SWITCHED[2], SWITCHED[3], "13 ack", "15 deadline"],
    ),
    ("succeeded", "bake_time=0s", &[SWITCHED[0], SWITCHED[1], SWITCHED[2], SWITCHED[3], "13 ack"]),
    ("failed", "", &["0 health blue 1/1", "1 deploy version=v2", "602 deadline"]),
    ("cancelled", "", &["0 health blue 1/1", "1 deploy version=v2", "2 abort"]),
    (
        "reverted",
        "",
        &[
            SWITCHED[0],
            SWITCHED[1],
            SWITCHED[2],
            SWITCHED[3],
            "13 ack",
            "15 health green 0/1 refused",
            "16 ack",
        ],
    ),
    (
        "rolled_back",
        "",
        &[SWITCHED[0], SWITCHED[1], SWITCHED[2], SWITCHED[3], "13 ack", "15 rollback", "16 ack"],
    ),
];

const SWITCHED: &[&str] = &["0 health blue 1/1", "1 deploy version=v2", "2 health green 1/1", "12 deadline"];

/// At least one event of each kind. The ids are those that the states above know.
const EVENTS: &[&str] = &[
    "deploy version=v3",
    "deploy version=v3 force",
    "deploy version=v3 webhook",
    "deploy version=v2",
    "pushed version=v2",
    "pushed version=v3 at=100",
    "push_seen version=v3 id=d1",
    "found version=v3",
    "found version=v2",
    "pull_struggles of=backend-1",
    "errand pre_promote of=backend-1",
    "deploy",
    "promote",
    "promote force",
    "abort",
    "rollback",
    "rollback force",
    "rollback to=backend-9",
    "pin",
    "unpin",
    "pause",
    "resume",
    "unquarantine v2",
    "health blue 1/1",
    "health blue 0/1 unhealthy=1",
    "health green 1/1",
    "health green 0/1 unhealthy=1",
    "health green 1/1 of=backend-9",
    "ack",
    "ack epoch=9",
    "bucket 100/0",
    "bucket 100/100",
    "bucket 100/0 epoch=9",
    "control 5/0",
    "control 5/0 epoch=9",
    "canary 5/0 old=100/0",
    "canary 5/0 old=100/0 of=backend-9",
    "drained blue",
    "drained green",
    "deadline",
    "policy bake_time=30s",
    "store off",
    "store on",
    "pulled of=backend-1",
    "pull_failed of=backend-1",
    "started of=backend-1",
    "start_failed of=backend-1",
    "restarted of=backend-1 times=1",
    "restarted of=backend-1 times=3",
    "pulled of=backend-9",
    "pulled of=backend-1 version=v9",
    "containers green ids=c1",
    "ailing green why=status_503",
    "running blue 1",
    "running green 0",
    "ended blue of=backend-1 why=exit_code_1",
    "engine away",
    "certificate ended",
    "certificate valid",
    "engine back",
];

fn reach(keys: &str, way: &[&str]) -> (State, Tick) {
    let mut rules = Policy::default();
    policy(&mut rules, &Words::new(keys));
    let mut state = State::new(ServiceName::from("backend"), Color::Blue, rules);
    let mut at = Tick::ZERO;
    for line in way {
        let (time, words) = line.split_once(' ').unwrap();
        at = tick(time);
        let event = event(&Words::new(words), &state, at);
        state = step(&state, &event, at).unwrap_or_else(|refused| panic!("{line}: {refused}")).state;
    }
    (state, at)
}

/// The event for these words. A `pulled` event gets its version here if no release exists.
fn event_of(words: &str, state: &State, at: Tick) -> Event {
    if let (Some(id), true) = (words.strip_prefix("pulled of="), state.release.is_none()) {
        let version = greenlight::model::Version("v2".to_owned());
        return Event::Pulled { release: greenlight::model::ReleaseId::from(id), version };
    }
    event(&Words::new(words), state, at)
}

#[test]
fn every_pair_of_state_and_event_is_handled_or_refused_by_name() {
    let mut out =
        String::from("Every state by every event. Written by tests/release/table.rs (UPDATE_GOLDEN=1).\n");
    for (name, keys, way) in STATES {
        let (state, at) = reach(keys, way);
        let word = name.split(' ').next().unwrap();
        let found = state.release.as_ref().map_or(state.state_word(), |release| release.word());
        assert_eq!(word, if state.queued.is_some() { "queued" } else { found }, "the way to {name} is wrong");
        writeln!(out, "\n== {name}: {}", render::state(&state)).unwrap();
        for words in EVENTS {
            let event = event_of(words, &state, at);
            let outcome = match step(&state, &event, at) {
                Ok(step) => {
                    step.state.check().unwrap_or_else(|fault| panic!("{name} + {words}: {fault}"));
                    if step.state == state {
                        "nothing".to_owned()
                    } else {
                        format!("-> {}", render::state(&step.state))
                    }
                }
                Err(refused) => {
                    let named = format!("{refused:?}");
                    let name = named.split([' ', '(']).next().unwrap_or_default();
                    format!("refused, {name}: {refused}")
                }
            };
            writeln!(out, "{words:<32} {outcome}").unwrap();
        }
    }
    compare(&folder().join("states_by_events.table"), &out).unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn every_kind_of_event_is_in_the_table() {
    let (state, at) = reach("", SWITCHED);
    let mut kinds: Vec<String> = EVENTS
        .iter()
        .map(|words| format!("{:?}", event_of(words, &state, at)))
        .map(|debug| debug.split([' ', '(']).next().unwrap_or_default().to_owned())
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), KINDS, "{kinds:?}");
}

/// The number of kinds of events. [`kind`] does not compile if a kind is added.
const KINDS: usize = 34;

#[expect(dead_code, reason = "only its exhaustive match is of use")]
fn kind(event: &Event) -> usize {
    match event {
        Event::Deploy { .. } => 1,
        Event::Promote { .. } => 2,
        Event::Abort => 3,
        Event::Rollback { .. } => 4,
        Event::Pin { .. } => 5,
        Event::Unpin => 6,
        Event::Pause => 7,
        Event::Resume => 8,
        Event::Unquarantine { .. } => 9,
        Event::Health { .. } => 10,
        Event::Acknowledged { .. } => 11,
        Event::Bucket { .. } => 12,
        Event::Drained { .. } => 13,
        Event::Deadline => 14,
        Event::PolicyChanged(_) => 15,
        Event::StoreWritable(_) => 16,
        Event::Pulled { .. } => 17,
        Event::PullFailed { .. } => 18,
        Event::Started { .. } => 19,
        Event::StartFailed { .. } => 20,
        Event::EndpointRestarted { .. } => 21,
        Event::Containers { .. } => 22,
        Event::EngineAway(_) => 23,
        Event::Ailing { .. } => 24,
        Event::Pushed { .. } => 25,
        Event::ErrandDone { .. } => 26,
        Event::Canary { .. } => 27,
        Event::Control { .. } => 28,
        Event::Present { .. } => 29,
        Event::Ended { .. } => 30,
        Event::PushSeen { .. } => 31,
        Event::Found { .. } => 32,
        Event::PullStruggles { .. } => 33,
        Event::Certificate(_) => 34,
    }
}

#[test]
fn the_same_step_twice_is_the_same() {
    for (name, keys, way) in STATES {
        let (state, at) = reach(keys, way);
        for words in EVENTS {
            let event = event_of(words, &state, at);
            assert_eq!(step(&state, &event, at), step(&state, &event, at), "{name} + {words}");
        }
    }
}
