//! Runs one seed. A wild stretch of commands, faults and crashes comes first. Then it is quiet until
//! every release has ended.

use std::time::Duration;

use greenlight::model::{Color, Version};
use greenlight::release::{Delivery, Event, Source, Trigger, UpstreamKind};

use super::follow::Follow;
use super::front::{Due, Front, Outcome};
use super::policy::policy;
use super::rng::Rng;
use super::shadow::ensure;
use super::upstream::{MODES, Mode};

/// The result of a seed.
#[derive(Debug)]
pub(super) struct Story {
    pub hash: u64,
    pub lines: Option<Vec<String>>,
    /// The words of the final states that its releases reached.
    pub ended: Vec<&'static str>,
    pub steps: u32,
}

/// Runs one seed. `Err` names the broken rule and the seed.
pub(super) fn live(seed: u64, events: u32, lines: bool) -> Result<Story, String> {
    let mut rng = Rng::new(seed);
    let mut policy = policy(&mut rng);
    let follow = seed % 4 == 1 && policy.upstream == UpstreamKind::Fixed;
    if follow {
        policy.trigger = Trigger::OnHealthy;
    }
    let mut front = Front::new(rng, policy, lines);
    front.history.loses = seed % 4 == 3;
    if follow {
        front.follow = Follow::new(&mut front.rng);
    }
    match whole(&mut front, events) {
        Ok(()) => Ok(Story {
            hash: front.trace.hash,
            lines: front.trace.lines.take(),
            ended: front.shadow.ended().collect(),
            steps: front.steps,
        }),
        Err(fault) => {
            let from = front.trace.lines.as_ref().map_or(0, |lines| lines.len().saturating_sub(200));
            let tail = front.trace.lines.as_ref().map_or(String::new(), |lines| lines[from..].join("\n"));
            Err(format!(
                "seed {seed}, {:.3} s, step {}: {fault}\n{tail}",
                front.now as f64 / 1000.0,
                front.steps
            ))
        }
    }
}

/// The wild stretch, and then the quiet one.
fn whole(front: &mut Front, events: u32) -> Outcome {
    while front.steps < events {
        one(front)?;
    }
    front.wild = false;
    front.disk_works = true;
    front.upstream.heal();
    front.write_if_dirty()?;
    front.give(&Event::Unpin)?;
    front.give(&Event::EngineAway(None))?;
    let end = front.now + 1_000_000;
    while front.state.running().is_some() || front.state.queued.is_some() {
        one(front)?;
        ensure(front.now < end, || format!("{} does not end", front.state.state_word()))?;
    }
    front.write_if_dirty()?;
    front.shadow.finished(&front.state)?;
    let end = front.now + 200_000;
    while !front.active_runs() {
        one(front)?;
        ensure(front.now < end, || "the active containers are not started again".to_owned())?;
    }
    Ok(())
}

/// Carries out the next thing that is due.
fn one(front: &mut Front) -> Outcome {
    match front.next() {
        None => front.give(&Event::Deadline),
        Some(Due::ProbeStarts { color, endpoint }) => {
            front.start_probe(color, endpoint);
            Ok(())
        }
        Some(Due::Probed { color, endpoint, index, owner, outcome }) => {
            front.probed(color, &endpoint, index, owner.as_ref(), &outcome)
        }
        Some(Due::Second) => front.second(),
        Some(Due::LateBucket { color, epoch, bucket }) => {
            front.give(&Event::Bucket { color, epoch, bucket: *bucket })
        }
        Some(Due::Acknowledged { epoch }) => front.acknowledged(epoch),
        Some(Due::Drained { color, release }) => front.give(&Event::Drained { color, release }),
        Some(Due::Engine { event }) => front.give(&event),
        Some(Due::Command) => {
            let after = front.rng.millis(500, 12_000);
            front.at(after, Due::Command);
            if front.wild { command(front) } else { Ok(()) }
        }
        Some(Due::Fault) => {
            let after = front.rng.millis(500, 15_000);
            front.at(after, Due::Fault);
            if front.wild { fault(front) } else { Ok(()) }
        }
    }
}

/// Gives a random command or a reload.
fn command(front: &mut Front) -> Outcome {
    let force = front.rng.one_in(120);
    let event = match front.rng.below(20) {
        0..=8 => {
            // Most candidates come up. Otherwise no release would ever switch.
            if front.rng.one_in(700) {
                let other = front.state.active.other();
                front.upstream.modes[other].fill(Mode::Up);
            }
            let number = front.rng.below(8);
            let version = (number > 0).then(|| Version(format!("v{number}")));
            if let Some(version) = version.clone().filter(|_| front.rng.one_in(150)) {
                // Some pushes overtake each other, and some have no time.
                let at = front
                    .rng
                    .one_in(700)
                    .then(|| 1_000 + front.now.unsigned_abs() / 1000 - front.rng.below(20));
                let delivery = front.rng.one_in(500).then(|| Delivery::Id(front.rng.below(40).to_string()));
                return front.give(&Event::Pushed { version, at, delivery });
            }
            let source = if front.rng.one_in(350) { Source::Webhook } else { Source::Person };
            let auto_promote = front.rng.one_in(100).then_some(front.rng.one_in(500));
            Event::Deploy { version, auto_promote, force, source }
        }
        9..=10 => Event::Promote { force },
        11 => Event::Abort,
        12..=13 => {
            let to =
                front.state.kept.last().filter(|_| front.rng.one_in(200)).map(|kept| kept.release.clone());
            Event::Rollback { to, quarantine: front.rng.one_in(200), force }
        }
        14 => {
            let lasts = front.rng.one_in(700).then(|| Duration::from_millis(1000 + front.rng.below(30_000)));
            Event::Pin { reason: None, lasts }
        }
        15 => Event::Unpin,
        16 => Event::Pause,
        17 => Event::Resume,
        18 => Event::Unquarantine { version: Version(format!("v{}", front.rng.below(8))) },
        _ => {
            let mut changed = front.state.policy.clone();
            changed.min_healthy_time = Duration::from_secs(front.rng.pick(&[0, 2, 5]));
            changed.bake_time = Duration::from_secs(front.rng.pick(&[0, 10, 20]));
            Event::PolicyChanged(Box::new(changed))
        }
    };
    front.give(&event)
}

/// Causes or ends a random fault, or restarts the process.
fn fault(front: &mut Front) -> Outcome {
    let color = front.rng.pick(&Color::ALL);
    match front.rng.below(24) {
        0..=4 => {
            let mode = front.rng.pick(&MODES);
            let endpoint = front.rng.below(front.upstream.modes[color].len() as u64);
            front.upstream.modes[color][usize::try_from(endpoint).unwrap()] = mode;
        }
        5..=6 => {
            let mode = front.rng.pick(&MODES);
            front.upstream.modes[color].fill(mode);
        }
        7 => {
            let mode = front.rng.pick(&MODES);
            front.upstream.modes.blue.fill(mode);
            front.upstream.modes.green.fill(mode);
        }
        8..=9 => front.upstream.errors[color] = front.rng.pick(&[0, 4, 50, 300, 1000]),
        // Something that both colors need fails, and their probes do not see it.
        10 => {
            let failing = front.rng.pick(&[50, 300, 1000]);
            front.upstream.errors = greenlight::model::PerColor { blue: failing, green: failing };
        }
        11..=13 => front.upstream.heal(),
        14 => front.disk_works = false,
        15..=16 => front.disk_works = true,
        17..=18 => return front.restart(),
        20 => return front.kill(color),
        // The engine is restarted: the containers of both colors end, one color after the other.
        21 => {
            front.kill(color)?;
            let away = front.rng.one_in(500).then(|| "refused".to_owned());
            front.give(&Event::EngineAway(away))?;
            return front.kill(color.other());
        }
        22..=23 => return front.give(&Event::EngineAway(None)),
        _ => {
            let running = front.state.release.as_ref().map(|release| release.containers.clone());
            let restarts = u32::try_from(front.rng.below(5)).unwrap();
            if let Some(release) = running {
                return front.give(&Event::EndpointRestarted { release, restarts, why: None });
            }
        }
    }
    Ok(())
}
