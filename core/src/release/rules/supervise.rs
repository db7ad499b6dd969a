//! Keeps the wanted number of containers running in the colors that serve or may have to serve at once.
//!
//! The engine restarts a container that crashes. It does not restart one that was killed, stopped or removed,
//! or whose restart it gave up. So a set that is short of containers for a while is brought up again. Each
//! further start of the same set waits longer, and a set that does not stay up is a crash loop.
//!
//! A person who stops a container means it, for a while at least. Such a container is started again later,
//! and not at all while the service is pinned.

use std::time::Duration;

use crate::model::{Color, ReleaseId, Tick};

use crate::release::turn::Turn;
use crate::release::{
    Alarm, Effect, Fate, Phase, Presence, Refusal, State, Stretch, Supervision, UpstreamKind,
};

/// How long a set may be short of containers before it is brought up again. The engine's own restart comes
/// first.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same where a person has stopped a container.
const AFTER_A_STOP: Duration = Duration::from_secs(30);
/// The shortest and the longest pause after a start that did not help, beside [`PATIENCE`].
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// How long all containers must have run before the set counts as quiet again.
const CALM: Duration = Duration::from_mins(1);
/// So many starts, or restarts by the engine, without a quiet minute are a crash loop.
const LOOP: u32 = 3;

/// What supervision has to do about one color.
enum Need {
    /// Every wanted container runs, or nothing is known.
    Nothing,
    /// Fewer run than wanted, and the set is started at this time.
    Start { at: Tick },
    /// Fewer run than wanted, and nothing is done about it, for this reason.
    Held { why: &'static str },
}

impl State {
    /// The set of a color and how many of its containers should run: `upstream.replicas` in the active
    /// color, in a warm standby and in the old color of a bake. `None` where somebody else runs the
    /// containers, where a release is still bringing them up, and where they are on their way out.
    #[must_use]
    pub fn wanted(&self, color: Color) -> Option<(&ReleaseId, u32)> {
        let side = &self.sides[color];
        let stays = match side.fate {
            Fate::Free | Fate::Warm { .. } => true,
            Fate::Draining { .. } | Fate::Drained => false,
        };
        let leaves = self.running().is_some_and(|release| {
            let before = release.phase.stretch() == Stretch::Before;
            let warm = matches!(side.fate, Fate::Warm { .. });
            release.color == color && ((before && !warm) || matches!(release.phase, Phase::Reverting(_)))
        });
        let managed = self.policy.upstream == UpstreamKind::Managed;
        let set = side.containers.as_ref().filter(|_| managed && stays && !leaves)?;
        Some((set, self.policy.replicas))
    }

    /// How many containers of a color's set run; `None` if that is not known.
    #[must_use]
    pub fn present(&self, color: Color) -> Option<&Presence> {
        let set = self.sides[color].containers.as_ref();
        self.presence[color].as_ref().filter(|presence| Some(&presence.set) == set)
    }

    /// Whether a color is known to have fewer running containers than wanted.
    pub(crate) fn is_short(&self, color: Color) -> bool {
        let wanted = self.wanted(color).map(|(_, wanted)| wanted);
        self.present(color).zip(wanted).is_some_and(|(presence, wanted)| presence.running < wanted)
    }

    /// The times at which supervision has something to do without an event.
    pub(crate) fn supervision_due(&self, color: Color) -> [Option<Tick>; 2] {
        let memory = &self.supervision[color];
        let watched = memory.tries > 0 || self.alarms.contains_key(&Alarm::CrashLoop);
        let calm = memory.whole_since.filter(|_| watched).map(|since| since + CALM);
        let alarm = memory.short_since.map(|since| since + PATIENCE);
        match need(self, color) {
            Need::Start { at } => [Some(at), alarm],
            Need::Held { .. } if self.engine_away.is_some() => [None, None],
            Need::Held { .. } => [alarm, None],
            Need::Nothing => [calm, None],
        }
    }
}

fn need(state: &State, color: Color) -> Need {
    if !state.is_short(color) {
        return Need::Nothing;
    }
    let memory = &state.supervision[color];
    let stopped = state.present(color).is_some_and(|presence| presence.stopped);
    if !state.policy.supervise {
        return Need::Held { why: "upstream.supervise is false, so they are not started again" };
    }
    if state.engine_away.is_some() {
        return Need::Held { why: "they are started again as soon as every engine answers" };
    }
    if stopped && state.is_pinned() {
        return Need::Held {
            why: "a person has stopped them and the service is pinned, so they stay stopped",
        };
    }
    let patience = if stopped { AFTER_A_STOP } else { PATIENCE };
    let Some(since) = memory.short_since else { return Need::Nothing };
    Need::Start { at: (since + patience).max(memory.next) }
}

/// Starts the set of each color that has been short of containers for long enough.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let mut acted = false;
    for color in Color::ALL {
        remember(turn, color);
        acted |= start(turn, color);
    }
    acted
}

/// Brings the memory of a color up to date.
fn remember(turn: &mut Turn, color: Color) {
    let (at, short) = (turn.at, turn.state.is_short(color));
    let away = turn.state.engine_away.is_some();
    let set = turn.state.wanted(color).map(|(set, _)| set.clone());
    let presence = turn.state.present(color).cloned();
    let memory = &mut turn.state.supervision[color];
    if memory.set != set {
        let restarts = presence.as_ref().map_or(0, |presence| presence.restarts);
        *memory = Supervision { set, restarts, ..Supervision::default() };
    }
    let Some(presence) = presence.filter(|_| memory.set.is_some()) else { return };
    memory.restarts = memory.restarts.min(presence.restarts);
    if short {
        memory.whole_since = None;
        // What is missing may come back with the engine, so the time counts anew from then.
        memory.short_since = if away { Some(at) } else { memory.short_since.or(Some(at)) };
        return;
    }
    memory.short_since = None;
    let since = *memory.whole_since.get_or_insert(at);
    if at >= since + CALM {
        memory.tries = 0;
        memory.next = Tick::default();
        memory.restarts = presence.restarts;
    }
}

fn start(turn: &mut Turn, color: Color) -> bool {
    let Need::Start { at } = need(&turn.state, color) else { return false };
    let Some((set, wanted)) = turn.state.wanted(color).map(|(set, wanted)| (set.clone(), wanted)) else {
        return false;
    };
    if turn.at < at {
        return false;
    }
    let (running, stopped) =
        turn.state.present(color).map_or((0, false), |presence| (presence.running, presence.stopped));
    let memory = &mut turn.state.supervision[color];
    memory.next = turn.at + PATIENCE + pause(&set, memory.tries);
    memory.tries = memory.tries.saturating_add(1);
    let who = if stopped { " (a person had stopped one)" } else { "" };
    turn.note(format!("{running} of {wanted} containers of {color} run{who}: the others are started again"));
    turn.then(Effect::Start { release: set, color });
    true
}

/// The pause after a start that follows `tries` others. It doubles up to a minute. A quarter of it depends on
/// the set, so that the sets of many services do not start in step.
fn pause(set: &ReleaseId, tries: u32) -> Duration {
    let whole = PAUSE_MIN.saturating_mul(1 << tries.min(10)).min(PAUSE_MAX);
    let seed = set
        .as_str()
        .bytes()
        .fold(u64::from(tries), |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let part = u32::try_from(seed % 256).unwrap_or_default();
    whole.saturating_sub(whole / 4 * part / 256)
}

/// Takes the words about how a container of a set ended, for the alarm.
pub(crate) fn ended(turn: &mut Turn, set: &ReleaseId, why: &str) -> Result<(), Refusal> {
    let ours = |color: &Color| turn.state.wanted(*color).is_some_and(|(wanted, _)| wanted == set);
    let Some(color) = Color::ALL.into_iter().find(ours) else {
        return Err(Refusal::Stale(set.to_string()));
    };
    remember(turn, color);
    turn.state.supervision[color].end = Some(why.to_owned());
    Ok(())
}

/// Raises or clears the alarms about containers that do not run.
pub(crate) fn alarms(turn: &mut Turn) {
    let (mut down, mut looping) = (Vec::new(), Vec::new());
    for color in Color::ALL {
        let memory = turn.state.supervision[color].clone();
        let Some(presence) = turn.state.present(color).cloned() else { continue };
        let Some((_, wanted)) = turn.state.wanted(color) else { continue };
        let end = memory.end.as_ref().map(|end| format!(": {end}")).unwrap_or_default();
        let restarts = presence.restarts.saturating_sub(memory.restarts);
        if memory.tries >= LOOP || restarts >= LOOP {
            looping.push(format!("a container of {color} ends again and again{end}"));
        }
        if memory.short_since.is_none_or(|since| turn.at < since + PATIENCE) {
            continue;
        }
        let running = presence.running;
        let what = match need(&turn.state, color) {
            Need::Held { why } => why,
            Need::Start { .. } | Need::Nothing => "the others are started again",
        };
        down.push(format!("{running} of {wanted} containers of {color} run; {what}{end}"));
    }
    settle(turn, Alarm::ContainersDown, &down, "all of them run");
    settle(turn, Alarm::CrashLoop, &looping, "all of them have run for a while");
}

fn settle(turn: &mut Turn, alarm: Alarm, reasons: &[String], over: &str) {
    if reasons.is_empty() {
        return turn.clear(alarm, over);
    }
    // People get one message for each cause, and not one for each container that comes up.
    let uncounted = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    let reason = reasons.join("; ");
    if turn.state.alarms.get(&alarm).is_none_or(|before| uncounted(before) != uncounted(&reason)) {
        turn.raise(alarm, reason);
    }
}
