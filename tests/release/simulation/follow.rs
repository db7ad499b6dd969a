//! `trigger = "on_healthy"`: containers that somebody else replaces, and a second opinion about when
//! a release begins because of them, or because a color came up.

use greenlight::model::{Color, PerColor};
use greenlight::release::{Release, Source, State};

use super::rng::Rng;
use super::shadow::{Verdict, ensure};

/// How long the other color must have been down, in milliseconds.
const DOWN: i64 = 10_000;

/// The containers of each color, by their ids.
#[derive(Debug, Default)]
pub(super) struct Follow {
    pub on: bool,
    pub ids: PerColor<Vec<String>>,
    pub told: PerColor<Option<Vec<String>>>,
    made: u64,
}

impl Follow {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut follow = Self { on: true, ..Self::default() };
        for color in Color::ALL {
            follow.add(color, 1 + rng.below(2));
        }
        follow
    }

    fn add(&mut self, color: Color, count: u64) {
        for _ in 0..count {
            self.made += 1;
            self.ids[color].push(format!("{:06}", self.made));
        }
    }

    /// Somebody replaces, adds or removes containers now and then.
    pub(super) fn change(&mut self, rng: &mut Rng) {
        let color = rng.pick(&Color::ALL);
        match rng.below(100) {
            0..=3 => {
                self.ids[color].clear();
                self.add(color, 1 + rng.below(2));
            }
            4 => self.ids[color].clear(),
            5..=6 => self.add(color, 1),
            7..=8 => drop(self.ids[color].pop()),
            _ => {}
        }
    }
}

/// The second opinion.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// The containers that a color had when it last had the traffic or a release.
    known: PerColor<Option<Vec<String>>>,
    /// Since when every probe of a color has been refused, and whether that once was long enough.
    refused_since: PerColor<Option<i64>>,
    was_down: PerColor<bool>,
    numbered: u64,
}

impl Edges {
    /// A probe of a color was delivered.
    pub(super) fn probed(&mut self, color: Color, refused: bool, now: i64) {
        if refused {
            self.refused_since[color].get_or_insert(now);
        } else if let Some(since) = self.refused_since[color].take() {
            self.was_down[color] |= now - since >= DOWN;
        }
    }

    /// What was not stored is not known.
    pub(super) fn crashed(&mut self, stored: &State) {
        self.known = stored.discovery.known.clone();
    }

    /// A release that has begun needs another edge after it.
    pub(super) fn persisted(&mut self, state: &State) {
        if state.numbered > self.numbered && state.running().is_some() {
            self.was_down = PerColor::default();
        }
        self.numbered = state.numbered;
    }

    /// The step goes on: what it saw is known from now on.
    pub(super) fn decided(&mut self, before: &State, after: &State) {
        if after.unwritable {
            return;
        }
        let other = after.active.other();
        let edge = self.is_edge(before, after, other);
        for color in Color::ALL {
            let Some(seen) = after.seen[color].clone() else { continue };
            let followed = color == after.active || candidate(after) == Some(color);
            if self.known[color].is_none() || (followed && !seen.is_empty()) || (edge && color == other) {
                self.known[color] = Some(seen);
            }
        }
    }

    /// Whether all containers of a color without traffic are new.
    fn is_edge(&self, before: &State, after: &State, other: Color) -> bool {
        // While the store can't be written no look is taken down: the next one counts.
        let followed = before.active == other || candidate(before) == Some(other);
        let followed = followed && !before.unwritable;
        let now = after.seen[other].as_deref().unwrap_or_default();
        let anew = |known: &Vec<String>| !now.is_empty() && now.iter().all(|id| !known.contains(id));
        !followed && self.known[other].as_ref().is_some_and(anew)
    }

    pub(super) fn judge(&self, before: &State, after: &State, now: i64) -> Verdict {
        let other = after.active.other();
        let newer = |release: &&Release| release.id.number().unwrap() > before.numbered;
        let begun = after.queued.iter().chain(&after.release).find(newer);
        let discovered = begun.filter(|release| release.source == Source::Discovery);
        let seen = after.seen.blue.is_some() || after.seen.green.is_some();
        if seen && !after.unwritable {
            self.judge_containers(before, after, discovered)?;
        } else if let Some(release) = discovered {
            let down =
                self.was_down[other] || self.refused_since[other].is_some_and(|since| now - since >= DOWN);
            ensure(down, || format!("{} begins and {other} was not down before", release.id))?;
        }
        Ok(())
    }

    /// A release begins when all of the other color's containers are new, and only then.
    fn judge_containers(&self, before: &State, after: &State, discovered: Option<&Release>) -> Verdict {
        let other = after.active.other();
        let (edge, now) = (self.is_edge(before, after, other), &after.seen[other]);
        ensure(discovered.is_none() || edge, || {
            format!("a release begins by containers that {other} had before: {now:?}")
        })?;
        let begun = discovered.is_some() || candidate(after) == Some(other) || after.queued.is_some();
        ensure(!edge || begun, || format!("{other} came up anew and no release begins: {now:?}"))
    }
}

fn candidate(state: &State) -> Option<Color> {
    state.running().map(|release| release.color)
}
