//! Parses the words of a story: durations, policies and events.

use std::time::Duration;

use greenlight::health::ColorHealth;
use greenlight::judge::{Baseline, Bucket, Outcome};
use greenlight::model::{Color, Epoch, ReleaseId, Tick, Version};
use greenlight::release::{
    Delivery, Errand, Event, Mode, OnInconclusive, OnTrip, Policy, Presence, Source, State, Trigger,
    UpstreamKind,
};

/// The words of a line, which are bare words and `key=value` pairs.
pub(crate) struct Words<'a>(pub Vec<&'a str>);

impl<'a> Words<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self(line.split_whitespace().collect())
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The bare word with index `n`.
    pub(crate) fn bare(&self, n: usize) -> Option<&'a str> {
        self.0.iter().filter(|word| !word.contains('=')).nth(n).copied()
    }
}

pub(crate) fn duration(text: &str) -> Duration {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).expect(text);
    let number: f64 = text[..end].parse().expect(text);
    let unit = match &text[end..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        unit => panic!("no unit of time: {unit}"),
    };
    Duration::from_secs_f64(number * unit)
}

#[expect(clippy::cast_possible_truncation, reason = "seconds in a story are small")]
pub(crate) fn tick(text: &str) -> Tick {
    Tick((text.parse::<f64>().expect(text) * 1000.0).round() as i64)
}

pub(crate) fn color(text: &str) -> Color {
    text.parse().unwrap()
}

/// Sets the keys that the line names.
pub(crate) fn policy(policy: &mut Policy, words: &Words) {
    for word in &words.0 {
        let Some((key, value)) = word.split_once('=') else { continue };
        match key {
            "debounce" => policy.debounce = duration(value),
            "pull_timeout" => policy.pull_timeout = duration(value),
            "progress_deadline" => policy.progress_deadline = duration(value),
            "promote_timeout" => policy.promote_timeout = duration(value),
            "bake_time" => policy.bake_time = duration(value),
            "standby_ttl" => policy.standby_ttl = duration(value),
            "drain_timeout" => policy.drain_timeout = duration(value),
            "min_healthy_time" => policy.min_healthy_time = duration(value),
            "replicas" => policy.replicas = value.parse().unwrap(),
            "supervise" => policy.supervise = value.parse().unwrap(),
            "keep_releases" => policy.keep_releases = value.parse().unwrap(),
            "canary_percent" => {
                policy.canary_percent = value.split(',').map(|percent| percent.parse().unwrap()).collect();
            }
            "auto_promote" => policy.auto_promote = value.parse().unwrap(),
            "trigger" => {
                policy.trigger =
                    pick(value, &[("manual", Trigger::Manual), ("on_healthy", Trigger::OnHealthy)]);
            }
            "upstream" => {
                policy.upstream =
                    pick(value, &[("fixed", UpstreamKind::Fixed), ("managed", UpstreamKind::Managed)]);
            }
            "on_trip" => policy.on_trip = pick(value, &[("revert", OnTrip::Revert), ("hold", OnTrip::Hold)]),
            "mode" => {
                policy.mode = pick(
                    value,
                    &[("enforce", Mode::Enforce), ("observe", Mode::Observe), ("off", Mode::Off)],
                );
            }
            "on_inconclusive" => {
                policy.on_inconclusive = pick(
                    value,
                    &[
                        ("promote", OnInconclusive::Promote),
                        ("extend", OnInconclusive::Extend),
                        ("hold", OnInconclusive::Hold),
                        ("revert", OnInconclusive::Revert),
                    ],
                );
            }
            "pre_promote" => policy.errands.pre_promote = Some(duration(value)),
            "post_promote" => policy.errands.post_promote = Some(duration(value)),
            "on_revert" => policy.errands.on_revert = Some(duration(value)),
            "tags" => policy.errands.tags = Some(duration(value)),
            key => panic!("no such key: {key}"),
        }
    }
}

fn errand(text: &str) -> Errand {
    let all = [Errand::PrePromote, Errand::PostPromote, Errand::OnRevert, Errand::Tags];
    all.into_iter().find(|errand| errand.as_str() == text).expect(text)
}

fn pick<T: Copy>(value: &str, of: &[(&str, T)]) -> T {
    of.iter().find(|(name, _)| *name == value).map(|(_, value)| *value).expect(value)
}

/// One second with this number of requests and errors, each from another client.
pub(crate) fn bucket(requests: u64, errors: u64) -> Bucket {
    let mut bucket = Bucket::default();
    for client in 0..requests {
        let outcome = if client < errors { Outcome::Error } else { Outcome::Success };
        bucket.record(client, outcome, Some(Duration::from_millis(5)));
    }
    bucket
}

fn two(text: &str) -> (u64, u64) {
    let (a, b) = text.split_once('/').expect(text);
    (a.parse().unwrap(), b.parse().unwrap())
}

fn count(words: &Words, key: &str) -> Option<u32> {
    words.value(key).map(|value| value.parse().unwrap())
}

/// Parses a line such as `health green 2/3 unhealthy=1`. The owner is the color's present one unless
/// `of=` names another.
fn health(words: &Words, state: &State, at: Tick) -> Event {
    let color = color(words.bare(1).unwrap());
    let (healthy, total) = two(words.bare(2).unwrap());
    let (healthy, total) = (u32::try_from(healthy).unwrap(), u32::try_from(total).unwrap());
    let unhealthy = count(words, "unhealthy").unwrap_or(if words.has("refused") { total } else { 0 });
    let before = state.health[color].and_then(|health| health.clean_since);
    let clean_since = (healthy == total && total > 0 && !words.has("dirty")).then(|| before.unwrap_or(at));
    let release = match words.value("of") {
        None => state.sides[color].release.clone(),
        Some("none") => None,
        Some(id) => Some(ReleaseId::from(id)),
    };
    let unknown = total - healthy - unhealthy;
    let refused = words.has("refused");
    Event::Health {
        color,
        release,
        health: ColorHealth { total, healthy, unhealthy, unknown, clean_since, refused },
    }
}

/// The event of a line, in the present state.
pub(crate) fn event(words: &Words, state: &State, at: Tick) -> Event {
    let force = words.has("force");
    let running =
        || words.value("of").map_or_else(|| state.release.as_ref().unwrap().id.clone(), ReleaseId::from);
    match words.0[0] {
        "deploy" => Event::Deploy {
            version: words.value("version").map(|version| Version(version.to_owned())),
            auto_promote: words.value("auto_promote").map(|value| value.parse().unwrap()),
            force,
            source: if words.has("webhook") { Source::Webhook } else { Source::Person },
        },
        "pushed" => Event::Pushed {
            version: Version(words.value("version").unwrap().to_owned()),
            at: words.value("at").map(|at| at.parse().unwrap()),
            delivery: delivery(words),
        },
        "push_seen" => Event::PushSeen {
            version: Version(words.value("version").unwrap().to_owned()),
            at: None,
            delivery: delivery(words),
        },
        "found" => Event::Found { version: Version(words.value("version").unwrap().to_owned()) },
        "errand" => Event::ErrandDone {
            release: running(),
            errand: errand(words.bare(1).unwrap()),
            outcome: words.value("why").map_or(Ok(()), |why| Err(why.replace('_', " "))),
        },
        "promote" => Event::Promote { force },
        "abort" => Event::Abort,
        "rollback" => Event::Rollback {
            to: words.value("to").map(ReleaseId::from),
            quarantine: words.has("quarantine"),
            force,
        },
        "pin" => Event::Pin {
            reason: words.value("reason").map(str::to_owned),
            lasts: words.value("for").map(duration),
        },
        "unpin" => Event::Unpin,
        "pause" => Event::Pause,
        "resume" => Event::Resume,
        "unquarantine" => Event::Unquarantine { version: Version(words.bare(1).unwrap().to_owned()) },
        "health" => health(words, state, at),
        "drained" => {
            let color = color(words.bare(1).unwrap());
            Event::Drained { color, release: state.sides[color].release.clone() }
        }
        "deadline" => Event::Deadline,
        "policy" => {
            let mut changed = state.policy.clone();
            policy(&mut changed, words);
            Event::PolicyChanged(Box::new(changed))
        }
        "store" => Event::StoreWritable(words.has("on")),
        word => evidence(words, state)
            .or_else(|| managed(words, state, running))
            .unwrap_or_else(|| panic!("no such event: {word}")),
    }
}

fn delivery(words: &Words) -> Option<Delivery> {
    let id = words.value("id").map(|id| Delivery::Id(id.to_owned()));
    id.or_else(|| words.value("body").map(|body| Delivery::Body(body.to_owned())))
}

/// The events with counts of the data plane.
fn evidence(words: &Words, state: &State) -> Option<Event> {
    let event = match words.0[0] {
        "ack" => {
            let (requests, errors) = words.value("baseline").map_or((0, 0), two);
            let epoch = words.value("epoch").map_or(state.epoch, |epoch| Epoch(epoch.parse().unwrap()));
            let seconds = if requests == 0 { 0 } else { 600 };
            Event::Acknowledged {
                epoch,
                baseline: Baseline { requests, errors, seconds, ..Baseline::default() },
            }
        }
        "bucket" => {
            let (requests, errors) = two(words.bare(1).unwrap());
            let color = words.value("of").map_or(state.active, color);
            let epoch = words.value("epoch").map_or(state.epoch, |epoch| Epoch(epoch.parse().unwrap()));
            Event::Bucket { color, epoch, bucket: bucket(requests, errors) }
        }
        "control" => {
            let (requests, errors) = two(words.bare(1).unwrap());
            let epoch = words.value("epoch").map_or(state.epoch, |epoch| Epoch(epoch.parse().unwrap()));
            Event::Control { epoch, old: bucket(requests, errors) }
        }
        "canary" => {
            let (requests, errors) = two(words.bare(1).unwrap());
            let (old, old_errors) = words.value("old").map_or((0, 0), two);
            let baseline = words.value("baseline").map(two).map(|(requests, errors)| {
                Box::new(Baseline { requests, errors, seconds: 600, ..Baseline::default() })
            });
            let release =
                words.value("of").map(ReleaseId::from).or_else(|| Some(state.release.as_ref()?.id.clone()));
            Event::Canary {
                release: release.unwrap_or_else(|| ReleaseId::from("none")),
                candidate: bucket(requests, errors),
                old: bucket(old, old_errors),
                baseline,
            }
        }
        _ => return None,
    };
    Some(event)
}

/// The events from the engines of managed containers.
fn managed(words: &Words, state: &State, running: impl Fn() -> ReleaseId) -> Option<Event> {
    let event = match words.0[0] {
        "pulled" => {
            let version = words.value("version").map(|version| Version(version.to_owned()));
            let known = || state.release.as_ref().unwrap().version.clone();
            Event::Pulled { release: running(), version: version.unwrap_or_else(known) }
        }
        "pull_struggles" => Event::PullStruggles { release: running(), why: "502 Bad Gateway".to_owned() },
        "pull_failed" => Event::PullFailed { release: running(), why: "no such image".to_owned() },
        "started" => Event::Started { release: running() },
        "start_failed" => Event::StartFailed { release: running(), why: "port is taken".to_owned() },
        "restarted" => {
            let why = words.value("why").map(str::to_owned);
            Event::EndpointRestarted { release: running(), restarts: count(words, "times").unwrap(), why }
        }
        "ailing" => Event::Ailing {
            color: color(words.bare(1).unwrap()),
            why: words.value("why").map(|why| why.replace('_', " ")),
        },
        "containers" => {
            let ids = words.value("ids").unwrap_or_default().split('+').filter(|id| !id.is_empty());
            Event::Containers { color: color(words.bare(1).unwrap()), ids: ids.map(str::to_owned).collect() }
        }
        "running" => {
            let color = color(words.bare(1).unwrap());
            let presence = state.sides[color].containers.clone().map(|set| Presence {
                set,
                running: words.bare(2).unwrap().parse().unwrap(),
                stopped: words.has("stopped"),
                restarts: count(words, "restarts").unwrap_or(0),
            });
            Event::Present { color, presence }
        }
        "ended" => Event::Ended {
            set: words.value("of").map_or_else(
                || state.sides[color(words.bare(1).unwrap())].containers.clone().unwrap(),
                ReleaseId::from,
            ),
            why: words.value("why").unwrap().replace('_', " "),
        },
        "certificate" => Event::Certificate(
            words.has("ended").then(|| "the certificate for app.test ended on 2026-01-01".into()),
        ),
        "engine" => Event::EngineAway(
            words.has("away").then(|| "the engine unix:///e does not answer: refused".into()),
        ),
        _ => return None,
    };
    Some(event)
}
