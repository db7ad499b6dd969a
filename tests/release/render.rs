//! A step in lines: `event @t -> state, effects`.

use std::fmt::Write as _;

use greenlight::model::Tick;
use greenlight::release::{Effect, Persist, State, Step};

pub(crate) fn seconds(at: Tick) -> String {
    format!("{}", at.0 as f64 / 1000.0)
}

/// The record in a line.
pub(crate) fn state(state: &State) -> String {
    let mut line = format!("{}, {} at epoch {}", state.state_word(), state.active, state.epoch);
    if let Some(release) = &state.release {
        write!(line, ", {} {}", release.id, release.word()).unwrap();
        if let Some(cause) = release.cause() {
            write!(line, "({cause})").unwrap();
        }
        if let Some(percent) = release.canary_percent() {
            write!(line, " {percent} %").unwrap();
        }
        if let Some(verdict) = release.verdict {
            write!(line, " verdict {}", verdict.as_str()).unwrap();
        }
    }
    if let Some(queued) = &state.queued {
        write!(line, ", {} queued", queued.id).unwrap();
    }
    if state.is_pinned() {
        line.push_str(", pinned");
    }
    line
}

pub(crate) fn step(step: &Step) -> String {
    let mut out = format!("    -> {}", state(&step.state));
    if let Some(deadline) = step.deadline {
        write!(out, ", next at {}", seconds(deadline)).unwrap();
    }
    out.push_str(match step.persist {
        Persist::No => "\n",
        Persist::Soon => ", persist soon\n",
        Persist::Now => ", persist\n",
    });
    for note in &step.notes {
        let release = note.release.as_ref().map_or("-", |release| release.as_str());
        writeln!(out, "       {release} {}: {}", note.word, note.reason).unwrap();
    }
    for (group, effects) in [("now", &step.now), ("after", &step.after_persist)] {
        for one in effects {
            writeln!(out, "       {group}: {}", effect(one)).unwrap();
        }
    }
    out
}

pub(crate) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Adopt { color, release } => format!("adopt {color} for {release}"),
        Effect::Swap { epoch, active } => format!("swap to {active} at epoch {epoch}"),
        Effect::Drain { color, release } => {
            format!("drain {color} of {}", release.as_ref().map_or("no release", |release| release.as_str()))
        }
        Effect::Undrain { color } => format!("undrain {color}"),
        Effect::Refresh => "refresh".to_owned(),
        Effect::Notify { notice, .. } => format!("notify {notice:?}").to_lowercase(),
        Effect::Alarm { alarm, raised, .. } => {
            format!("alarm {} {}", alarm.as_str(), if *raised { "up" } else { "over" })
        }
        Effect::Errand { errand, release, other, .. } => {
            let other = other.as_ref().map_or(String::new(), |other| format!(" beside {other}"));
            format!("run {} of {release}{other}", errand.as_str())
        }
        Effect::Pull { release, version } => format!("pull {version} for {release}"),
        Effect::Start { release, color } => format!("start {release} in {color}"),
        Effect::SaveEvidence { release } => format!("save evidence of {release}"),
        Effect::Stop { release, color } => format!("stop {release} in {color}"),
        Effect::Remove { release, color } => format!("remove {release} in {color}"),
    }
}
