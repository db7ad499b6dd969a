//! The shells around the core in virtual time. The loop is event, step, persist, perform. There are
//! probes, workers, an engine, a store that fails, and crashes between any two actions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use greenlight::health::{ProbeOutcome, Roster};
use greenlight::judge::{Baseline, BaselineWindow, Bucket};
use greenlight::model::{
    Color, Endpoint, EndpointId, Epoch, PerColor, ReleaseId, ServiceName, Tick, Version,
};
use greenlight::release::{
    Effect, Event, Persist, Policy, Refusal, Release, State, Step, UpstreamKind, left_behind, reconcile,
    restore, step,
};

use super::aside::Aside;
use super::follow::Follow;
use super::lost::{self, History, Set, Sets};
use super::rng::Rng;
use super::shadow::{Shadow, Table, ensure, is_switching};
use super::upstream::Upstream;

/// A thing that is under way and comes at a time of its own.
#[derive(Clone, Debug)]
pub(super) enum Due {
    ProbeStarts {
        color: Color,
        endpoint: usize,
    },
    Probed {
        color: Color,
        endpoint: EndpointId,
        index: usize,
        owner: Option<ReleaseId>,
        outcome: ProbeOutcome,
    },
    Second,
    LateBucket {
        color: Color,
        epoch: Epoch,
        bucket: Box<Bucket>,
    },
    Acknowledged {
        epoch: Epoch,
    },
    Drained {
        color: Color,
        release: Option<ReleaseId>,
    },
    Engine {
        event: Box<Event>,
    },
    Command,
    Fault,
}

/// A fault of the front door, in words.
pub(super) type Outcome = Result<(), String>;

pub(super) struct Front {
    pub rng: Rng,
    pub now: i64,
    /// When this process began. Its clock reads `now - boot`.
    boot: i64,
    life: u32,
    pub state: State,
    /// The record in the store, saved as if at tick 0.
    pub disk: State,
    pub disk_works: bool,
    dirty: bool,
    rosters: PerColor<Roster>,
    told: PerColor<Option<(Option<ReleaseId>, greenlight::health::ColorHealth)>>,
    pub upstream: Upstream,
    /// Containers by the release that they were made for. Fixed endpoints are always there.
    pub(super) sets: Sets,
    /// Sets that looked left behind in the last second.
    suspects: BTreeSet<ReleaseId>,
    /// The releases in the store, and those that ended since the last write.
    pub history: History,
    ends: Vec<Release>,
    initial: Color,
    /// Containers that somebody else runs.
    pub follow: Follow,
    pub table: Table,
    window: BaselineWindow,
    frozen: Baseline,
    queue: BinaryHeap<Reverse<(i64, u64)>>,
    under_way: BTreeMap<u64, (u32, Due)>,
    sequence: u64,
    deadline: Option<Tick>,
    pub shadow: Shadow,
    pub steps: u32,
    /// Whether commands, faults and crashes happen.
    pub wild: bool,
    pub trace: Trace,
}

/// The course of a seed as a hash, and as lines if they are asked for.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub hash: u64,
    pub lines: Option<Vec<String>>,
}

impl Trace {
    fn add(&mut self, now: i64, event: &Event, outcome: &Result<Step, Refusal>) {
        let word = match outcome {
            Ok(step) => step.state.release.as_ref().map_or(0, |release| release.word().len() as u64 * 31 + 7),
            Err(_) => 3,
        };
        let count = outcome.as_ref().map_or(0, |step| (step.now.len() + 8 * step.after_persist.len()) as u64);
        let epoch = outcome.as_ref().map_or(0, |step| step.state.epoch.0);
        for part in [now.unsigned_abs(), word, count, epoch] {
            self.hash = (self.hash ^ part).wrapping_mul(0x0100_0000_01B3);
        }
        if let Some(lines) = &mut self.lines {
            let short = match event {
                Event::Bucket { color, epoch, bucket } => {
                    format!("Bucket {color} {epoch} {}/{}", bucket.requests, bucket.errors)
                }
                other => format!("{other:?}"),
            };
            let found = match outcome {
                Ok(step) => format!(
                    "{} {} {} | {}",
                    step.state.state_word(),
                    step.state.active,
                    step.state.epoch,
                    step.reason
                ),
                Err(refused) => format!("refused: {refused}"),
            };
            lines.push(format!("{:>9} {short} -> {found}", now as f64 / 1000.0));
        }
    }
}

impl Front {
    pub(super) fn new(mut rng: Rng, policy: Policy, lines: bool) -> Self {
        let upstream = Upstream::new(&mut rng);
        let initial = rng.pick(&Color::ALL);
        let state = State::new(ServiceName::from("backend"), initial, policy);
        let managed = state.policy.upstream == UpstreamKind::Managed;
        let sizes = PerColor::from_fn(|color| if managed { 0 } else { upstream.modes[color].len() });
        let mut front = Self {
            rng,
            now: 0,
            boot: 0,
            life: 0,
            disk: state.to_saved(Tick(0)),
            disk_works: true,
            dirty: false,
            rosters: PerColor::default(),
            told: PerColor::default(),
            upstream,
            sets: Sets::new(),
            suspects: BTreeSet::new(),
            history: History::default(),
            ends: Vec::new(),
            initial,
            follow: Follow::default(),
            table: Table { active: initial, epoch: Epoch::default(), share: 0 },
            window: BaselineWindow::default(),
            frozen: Baseline::default(),
            queue: BinaryHeap::new(),
            under_way: BTreeMap::new(),
            sequence: 0,
            deadline: None,
            shadow: Shadow::new(&sizes),
            steps: 0,
            wild: true,
            state,
            trace: Trace { hash: 0, lines: lines.then(Vec::new) },
        };
        for color in Color::ALL {
            if !managed {
                front.list_fixed(color);
            }
            for endpoint in 0..front.upstream.modes[color].len() {
                let after = front.rng.millis(1, 1000);
                front.at(after, Due::ProbeStarts { color, endpoint });
            }
        }
        front.at(1000, Due::Second);
        front.at(2000, Due::Command);
        front.at(3000, Due::Fault);
        front
    }

    pub(super) fn tick(&self) -> Tick {
        Tick(self.now - self.boot)
    }

    pub(super) fn at(&mut self, after: i64, due: Due) {
        self.sequence += 1;
        self.queue.push(Reverse((self.now + after, self.sequence)));
        self.under_way.insert(self.sequence, (self.life, due));
    }

    /// The next thing that is due: a deadline of the core (`None`), or something under way. Things of an
    /// earlier process are lost with it, except those of the world.
    pub(super) fn next(&mut self) -> Option<Due> {
        loop {
            let Reverse((at, sequence)) = *self.queue.peek().expect("the clock never stops");
            if let Some(deadline) = self.deadline.filter(|deadline| deadline.0 + self.boot <= at) {
                self.now = self.now.max(deadline.0 + self.boot);
                self.deadline = None;
                return None;
            }
            self.queue.pop();
            self.now = self.now.max(at);
            let Some((life, due)) = self.under_way.remove(&sequence) else { continue };
            let of_the_world =
                matches!(due, Due::ProbeStarts { .. } | Due::Second | Due::Command | Due::Fault);
            if of_the_world || life == self.life {
                return Some(due);
            }
        }
    }

    fn list_fixed(&mut self, color: Color) {
        let count = self.upstream.modes[color].len();
        self.list(color, &(0..count).map(|index| format!("{color}/{index}")).collect::<Vec<_>>());
    }

    fn list(&mut self, color: Color, ids: &[String]) {
        let endpoints: Vec<Endpoint> = ids
            .iter()
            .map(|id| Endpoint {
                id: EndpointId::from(id.as_str()),
                address: ([127, 0, 0, 1], 80).into(),
                probe: None,
            })
            .collect();
        if self.rosters[color].set_endpoints(&endpoints) {
            self.shadow.forget(color, ids.len());
        }
    }

    // Probes.

    pub(super) fn start_probe(&mut self, color: Color, endpoint: usize) {
        let every = i64::try_from(self.state.policy.interval.as_millis()).unwrap();
        let mode = self.upstream.modes[color][endpoint];
        let (outcome, mut takes) = Upstream::probe(mode, self.now, self.state.policy.timeout);
        self.at(every.max(takes), Due::ProbeStarts { color, endpoint });
        let Some((known, _)) = self.rosters[color].endpoints().get(endpoint) else { return };
        let id = known.id.clone();
        let owner = self.rosters[color].owner().cloned();
        let probed = Due::Probed { color, endpoint: id, index: endpoint, owner, outcome };
        if self.wild && self.rng.one_in(20) {
            takes += self.rng.millis(0, 4000);
        }
        if self.wild && self.rng.one_in(10) {
            let again = self.rng.millis(0, 3000);
            self.at(takes + again, probed.clone());
        }
        self.at(takes, probed);
    }

    pub(super) fn probed(
        &mut self,
        color: Color,
        endpoint: &EndpointId,
        index: usize,
        owner: Option<&ReleaseId>,
        outcome: &ProbeOutcome,
    ) -> Outcome {
        let thresholds = self.state.thresholds(color);
        let at = self.tick();
        let known =
            self.rosters[color].endpoints().get(index).is_some_and(|(known, _)| known.id == *endpoint);
        self.rosters[color].observe(owner, endpoint, outcome, thresholds, at);
        if known {
            self.shadow.probed(color, index, owner, outcome, (thresholds.rise, thresholds.fall), self.now);
        }
        self.tell(color)
    }

    /// Gives an event if a color's summary has changed. Now and then a summary of an older release comes
    /// late.
    pub(super) fn tell(&mut self, color: Color) -> Outcome {
        let summary = (self.rosters[color].owner().cloned(), self.rosters[color].summary());
        if self.told[color].as_ref() == Some(&summary) {
            return Ok(());
        }
        let late = self.told[color].replace(summary.clone());
        if let Some((owner, health)) = late.filter(|late| self.wild && late.0 != summary.0) {
            self.give(&Event::Health { color, release: owner, health })?;
        }
        self.give(&Event::Health { color, release: summary.0, health: summary.1 })
    }

    // Traffic.

    pub(super) fn second(&mut self) -> Outcome {
        self.at(1000, Due::Second);
        let mut bucket = Bucket::default();
        let Table { active: color, epoch, share } = self.table;
        let load = self.rosters[color].endpoints().len();
        if load > 0 {
            self.upstream.serve(color, self.now, &mut self.rng, &mut bucket);
        }
        self.window.push(&bucket, &self.state.policy.judge);
        self.write_if_dirty()?;
        self.sweep()?;
        self.tell_containers()?;
        self.tell_presence()?;
        if share > 0 {
            self.shared_second(color, &bucket)?;
        }
        if self.upstream.asked && self.state.running().is_some_and(|release| release.phase.bake().is_some()) {
            self.asked_second(color)?;
        }
        let judged = self.state.running().is_some_and(|release| release.phase.bake().is_some())
            || is_switching(&self.state);
        if !judged && !self.rng.one_in(30) {
            return Ok(());
        }
        if self.wild && self.rng.one_in(30) {
            let after = self.rng.millis(100, 3000);
            self.at(after, Due::LateBucket { color, epoch, bucket: Box::new(bucket) });
            return Ok(());
        }
        self.give(&Event::Bucket { color, epoch, bucket })
    }

    /// Gives the second of both colors while the candidate has a share of the traffic.
    fn shared_second(&mut self, active: Color, old: &Bucket) -> Outcome {
        let Some(release) = self.state.running().map(|release| release.id.clone()) else { return Ok(()) };
        let mut candidate = Bucket::default();
        if !self.rosters[active.other()].endpoints().is_empty() {
            self.upstream.serve(active.other(), self.now, &mut self.rng, &mut candidate);
        }
        let baseline = Some(Box::new(self.window.freeze(&self.state.policy.judge)));
        let event = Event::Canary { release, candidate, old: old.clone(), baseline };
        if self.wild && self.rng.one_in(30) {
            // The second comes late, when another release may be under way.
            let after = self.rng.millis(100, 20_000);
            self.engine(after, event);
            return Ok(());
        }
        self.give(&event)
    }

    /// Gives the second of the synthetic requests to the old color in a bake, now and then late.
    fn asked_second(&mut self, active: Color) -> Outcome {
        let mut old = Bucket::default();
        if !self.rosters[active.other()].endpoints().is_empty() {
            self.upstream.serve(active.other(), self.now, &mut self.rng, &mut old);
        }
        let event = Event::Control { epoch: self.table.epoch, old };
        if self.wild && self.rng.one_in(30) {
            let after = self.rng.millis(100, 20_000);
            self.engine(after, event);
            return Ok(());
        }
        self.give(&event)
    }

    // The loop.

    /// Gives the core an event and carries out its step.
    pub(super) fn give(&mut self, event: &Event) -> Outcome {
        let at = self.tick();
        let decided = step(&self.state, event, at);
        self.steps += 1;
        self.trace.add(self.now, event, &decided);
        if self.rng.one_in(15) {
            ensure(decided == step(&self.state, event, at), || "the same step twice differs".to_owned())?;
        }
        let Ok(decided) = decided else { return Ok(()) };
        self.shadow.reported(&self.state, event)?;
        self.shadow.judge(&self.state, event, &decided, self.now)?;
        if decided.persist == Persist::No && self.rng.one_in(100) {
            let same = decided.state.to_saved(at) == self.saved_like(&decided.state, at);
            ensure(same, || format!("{event:?} changed what is stored and did not say so"))?;
        }
        if self.crashes() {
            return self.restart();
        }
        self.carry_out(event, decided)
    }

    /// The present state, with the parts that are not stored taken from `other`.
    fn saved_like(&self, other: &State, at: Tick) -> State {
        let mut saved = self.state.to_saved(at);
        saved.health = other.health;
        saved.seen = other.seen.clone();
        saved.engine_away.clone_from(&other.engine_away);
        saved.pull_trouble.clone_from(&other.pull_trouble);
        saved.certificate.clone_from(&other.certificate);
        saved.stuck.clone_from(&other.stuck);
        saved.presence = other.presence.clone();
        saved.supervision = other.supervision.clone();
        saved.unwritable = other.unwritable;
        saved.policy = other.policy.clone();
        saved
    }

    fn crashes(&mut self) -> bool {
        self.wild && self.rng.one_in(4)
    }

    fn carry_out(&mut self, event: &Event, decided: Step) -> Outcome {
        if decided.persist == Persist::Now && !self.disk_works {
            // This step did not happen.
            ensure(!self.state.unwritable, || "a write was asked for that can't be had".to_owned())?;
            let life = self.life;
            self.give(&Event::StoreWritable(false))?;
            return if self.life == life { self.give(event) } else { Ok(()) };
        }
        self.deadline = decided.deadline;
        self.shadow.decided(&self.state, &decided, self.now);
        self.ends.extend(decided.ended.iter().cloned());
        let life = self.life;
        let unpersisted = decided.state.unwritable;
        let persist = decided.persist;
        self.state = decided.state;
        for effect in &decided.now {
            if let Effect::Swap { .. } | Effect::Stop { .. } = effect {
                ensure(unpersisted, || format!("{effect:?} went before the write"))?;
            }
            self.perform(effect)?;
        }
        match persist {
            Persist::No => {}
            Persist::Soon => self.dirty = true,
            Persist::Now => self.write()?,
        }
        for effect in &decided.after_persist {
            if self.crashes() {
                return self.restart();
            }
            self.perform(effect)?;
        }
        if self.life == life {
            let Table { active, epoch, share } = self.table;
            ensure(share == self.state.canary_percent(), || {
                format!("{share} % are shared, the record says {} %", self.state.canary_percent())
            })?;
            ensure(active == self.state.active && epoch == self.state.epoch, || {
                format!(
                    "{active} at {epoch} is served, the record says {} at {}",
                    self.state.active, self.state.epoch
                )
            })?;
        }
        Ok(())
    }

    fn write(&mut self) -> Outcome {
        self.disk = self.state.to_saved(self.tick());
        self.dirty = false;
        let ends = std::mem::take(&mut self.ends);
        ends.iter()
            .chain(&self.state.release)
            .chain(&self.state.queued)
            .for_each(|release| self.history.tell(release));
        self.shadow.persisted(&self.state)
    }

    pub(super) fn write_if_dirty(&mut self) -> Outcome {
        if self.disk_works && self.state.unwritable {
            self.give(&Event::StoreWritable(true))?;
        }
        if self.dirty && self.disk_works { self.write() } else { Ok(()) }
    }

    fn perform(&mut self, effect: &Effect) -> Outcome {
        match effect {
            Effect::Adopt { color, release } => {
                self.rosters[*color].adopt(Some(release.clone()));
                self.shadow.adopt(*color, Some(release));
            }
            Effect::Swap { epoch, active } => {
                ensure(*epoch >= self.table.epoch, || format!("epoch {epoch} after {}", self.table.epoch))?;
                if *epoch > self.table.epoch {
                    self.frozen = self.window.freeze(&self.state.policy.judge);
                    self.window.clear();
                }
                self.table = Table { active: *active, epoch: *epoch, share: self.state.canary_percent() };
                let slow = self.wild && self.rng.one_in(100);
                let after = if slow { self.rng.millis(1, 20_000) } else { self.rng.millis(1, 50) };
                self.at(after, Due::Acknowledged { epoch: *epoch });
            }
            Effect::Drain { color, release } => {
                Shadow::may_drain(&self.disk, self.table, *color)?;
                let after = self.rng.millis(10, 9000);
                if !(self.wild && self.rng.one_in(50)) {
                    self.at(after, Due::Drained { color: *color, release: release.clone() });
                }
            }
            Effect::Refresh => {
                let share = self.state.canary_percent();
                ensure(share <= self.table.share || self.disk.canary_percent() == share, || {
                    format!("{share} % are shared before the store says so")
                })?;
                self.table.share = share;
            }
            Effect::Undrain { .. }
            | Effect::Notify { .. }
            | Effect::Alarm { .. }
            | Effect::SaveEvidence { .. } => {}
            Effect::Errand { errand, release, .. } => {
                self.shadow.errand_begun(*errand, release);
                // Now and then an errand never reports.
                if !(self.wild && self.rng.one_in(60)) {
                    let after = self.rng.millis(50, 12_000);
                    let outcome = if self.rng.one_in(90) { Err("503".to_owned()) } else { Ok(()) };
                    let event = Event::ErrandDone { release: release.clone(), errand: *errand, outcome };
                    self.engine(after, event.clone());
                    if self.wild && self.rng.one_in(30) {
                        self.engine(after + 700, event);
                    }
                }
            }
            Effect::Pull { release, version } => {
                let fails = self.wild && self.rng.one_in(100);
                let after = self.rng.millis(100, 5000);
                self.engine(after, pulled(release, version, fails));
            }
            Effect::Start { release, color } => {
                self.start_set(release, *color)?;
                self.list_managed(*color);
                let fails = self.wild && self.rng.one_in(50);
                let after = self.rng.millis(100, 3000);
                self.engine(after, started(release, fails));
            }
            Effect::Stop { release, color } => {
                self.may_stop(release)?;
                if let Some(set) = self.sets.get_mut(release) {
                    set.runs = false;
                }
                self.list_managed(*color);
            }
            Effect::Remove { release, color } => {
                self.may_stop(release)?;
                self.sets.remove(release);
                self.list_managed(*color);
            }
        }
        Ok(())
    }

    /// The engine starts a set of containers; one that runs already goes on.
    fn start_set(&mut self, release: &ReleaseId, color: Color) -> Outcome {
        let known = |id: &ReleaseId| self.state.knows_containers(id);
        let other =
            self.sets.iter().find(|(id, set)| *id != release && set.color == color && set.runs && known(id));
        ensure(other.is_none(), || format!("{release} starts in {color} beside {other:?}"))?;
        let set = Set { color, runs: true, since: self.now };
        let before = self.sets.insert(release.clone(), set);
        if let (Some(before), Some(set)) = (before.filter(|set| set.runs), self.sets.get_mut(release)) {
            set.since = before.since;
        }
        Ok(())
    }

    fn engine(&mut self, after: i64, event: Event) {
        self.at(after, Due::Engine { event: Box::new(event) });
    }

    /// Checks that no container is stopped whose color is active in the record as read back from the
    /// store.
    fn may_stop(&self, release: &ReleaseId) -> Outcome {
        let side = &self.disk.sides[self.disk.active];
        ensure(side.containers.as_ref() != Some(release), || {
            format!("the active containers of {release} are stopped")
        })
    }

    pub(super) fn list_managed(&mut self, color: Color) {
        let owned = self.state.sides[color].containers.clone();
        let set = owned.filter(|id| self.sets.get(id).is_some_and(|set| set.runs && set.color == color));
        let count = if set.is_some() { self.upstream.modes[color].len() } else { 0 };
        let ids: Vec<String> = (0..count).map(|index| format!("{}/{index}", set.as_ref().unwrap())).collect();
        self.list(color, &ids);
    }

    pub(super) fn acknowledged(&mut self, epoch: Epoch) -> Outcome {
        let baseline = self.frozen.clone();
        self.give(&Event::Acknowledged { epoch, baseline })
    }

    // Crashes.

    /// The process dies, and another begins with the stored record, read back from its text.
    pub(super) fn restart(&mut self) -> Outcome {
        let text = serde_json::to_string(&self.disk).map_err(|fault| fault.to_string())?;
        let mut saved: State = serde_json::from_str(&text).map_err(|fault| fault.to_string())?;
        self.life += 1;
        self.boot = self.now - self.rng.millis(0, 1000);
        saved.policy = self.state.policy.clone();
        let lost = self.state.unwritable && saved.epoch < self.table.epoch;
        ensure(saved.epoch >= self.table.epoch || lost, || {
            "the store knows an older epoch than the table".to_owned()
        })?;
        let is_lost = self.history.loses && self.wild && self.rng.one_in(300);
        self.state = if is_lost { self.lose()? } else { restore(saved, self.tick()) };
        self.state.check().map_err(|fault| format!("after a restart: {fault}"))?;
        if !is_lost {
            Shadow::time_left(&self.disk, &self.state, self.tick())?;
        }
        self.dirty = false;
        self.ends.clear();
        self.suspects.clear();
        self.shadow.crashed(&self.state, self.now);
        self.rosters = PerColor::default();
        self.told = PerColor::default();
        self.follow.told = PerColor::default();
        self.window.clear();
        // The stored active color is served at once. The shell asks for acknowledgments only if a switch
        // is under way.
        self.table =
            Table { active: self.state.active, epoch: self.state.epoch, share: self.state.canary_percent() };
        ensure(self.table.share == 0, || "a share by evidence from before a restart".to_owned())?;
        for color in Color::ALL {
            match self.state.policy.upstream {
                UpstreamKind::Fixed => self.list_fixed(color),
                UpstreamKind::Managed => {
                    self.list_managed(color);
                }
            }
        }
        let effects = reconcile(&self.state, self.tick());
        Aside::begun_again(&self.state, &effects)?;
        for effect in effects {
            if let Effect::Swap { epoch, active } = &effect {
                ensure(*active == self.disk.active && *epoch == self.disk.epoch, || {
                    "a stored switch is another".to_owned()
                })?;
            }
            self.perform(&effect)?;
        }
        if let Some(lines) = &mut self.trace.lines {
            lines.push(format!("{:>9} restart: {}", self.now as f64 / 1000.0, self.state.state_word()));
        }
        self.give(&Event::Deadline)
    }
}

impl Front {
    /// The record is lost. Another one is made from the remains and is written.
    fn lose(&mut self) -> Result<State, String> {
        let state = lost::rebuild(&self.disk, self.initial, &self.history, &self.sets, self.tick())?;
        self.disk = state.to_saved(self.tick());
        self.shadow.lost();
        Ok(state)
    }

    /// Gives an event if the containers that somebody else runs have changed.
    fn tell_containers(&mut self) -> Outcome {
        if self.follow.on && self.wild {
            self.follow.change(&mut self.rng);
        }
        for color in Color::ALL {
            let ids = self.follow.ids[color].clone();
            if self.follow.on && self.follow.told[color].as_ref() != Some(&ids) {
                self.follow.told[color] = Some(ids.clone());
                self.give(&Event::Containers { color, ids })?;
            }
        }
        Ok(())
    }

    /// Stops or removes, once a second, the sets that looked left behind in two seconds in a row.
    fn sweep(&mut self) -> Outcome {
        let containers = self.sets.iter().map(|(id, set)| (id, set.color, set.runs));
        let effects = left_behind(&self.state, containers);
        lost::judge_sweep(&self.state, &self.sets, &effects)?;
        let before = std::mem::replace(&mut self.suspects, effects.keys().cloned().collect());
        for (id, effect) in effects {
            if before.contains(&id) {
                self.perform(&effect)?;
            }
        }
        Ok(())
    }
}

fn pulled(release: &ReleaseId, version: &Version, fails: bool) -> Event {
    let release = release.clone();
    if fails {
        Event::PullFailed { release, why: "no such image".to_owned() }
    } else {
        Event::Pulled { release, version: version.clone() }
    }
}

fn started(release: &ReleaseId, fails: bool) -> Event {
    let release = release.clone();
    if fails {
        Event::StartFailed { release, why: "out of memory".to_owned() }
    } else {
        Event::Started { release }
    }
}
