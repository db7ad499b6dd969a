//! Commands of people. They are checked, given to the step, and answered in sentences.

use crate::model::{ReleaseId, Version};
use crate::release::{Event, Refusal, Source, Stretch, UpstreamKind};

use super::apply::Taken;
use super::message::{Command, Done, Precondition, Request, ResolvedImage};
use super::rejection::{RefusalCode, Rejection};
use super::room::room;
use super::run::Controller;
use super::service::{ServiceRuntime, Waiter};
use super::view::{AuditEntry, ReleaseView};

impl Controller {
    /// Carries out one command and answers it. A command that moves traffic is answered after every
    /// worker has acknowledged the move.
    pub(crate) async fn command(&mut self, request: Request) {
        let Some(index) = self.index(request.service.as_str()) else {
            let _ = request.reply.send(Err(Rejection::UnknownService(request.service)));
            return;
        };
        if let Err(back) = self.resolve_first(index, request) {
            let (request, refused) = *back;
            self.answer(index, request, refused.map(Err)).await;
        }
    }

    /// Carries out a command after its image was looked up.
    pub(crate) async fn resolved(&mut self, request: Request, image: ResolvedImage) {
        match self.index(request.service.as_str()) {
            Some(index) => self.answer(index, request, Some(Ok(image))).await,
            None => drop(request.reply.send(Err(Rejection::UnknownService(request.service)))),
        }
    }

    async fn answer(
        &mut self,
        index: usize,
        request: Request,
        image: Option<Result<ResolvedImage, Rejection>>,
    ) {
        let Request { service, command, precondition, actor, reply } = request;
        let before = self.services[index].summary();
        let what = describe(&command);
        let outcome = match image.transpose() {
            Ok(image) => self.carry_out(index, &command, precondition, image).await,
            Err(refused) => Err(refused),
        };
        let runtime = &self.services[index];
        let entry = AuditEntry {
            time: crate::clock::wall_rfc3339(),
            who: actor.0,
            service,
            what,
            outcome: match &outcome {
                Ok(done) => done.message.clone(),
                Err(why) => format!("refused: {why}"),
            },
            before,
            after: runtime.summary(),
        };
        tracing::info!(service = %entry.service, who = %entry.who, what = %entry.what, outcome = %entry.outcome, "command");
        self.scribe.audit(self.services[index].name().clone(), entry);
        self.scribe.settled().await;
        self.views_dirty = true;
        self.publish();
        let forward = match command {
            Command::Promote { .. } => Some(true),
            Command::Rollback { .. } => Some(false),
            _ => None,
        };
        match (outcome, forward) {
            (Ok(done), Some(forward)) if self.services[index].is_switching() && !done.accepted => {
                self.services[index].waiters.push(Waiter { forward, reply, done });
            }
            // A caller who has disconnected needs no answer.
            (outcome, _) => drop(reply.send(outcome)),
        }
    }

    async fn carry_out(
        &mut self,
        index: usize,
        command: &Command,
        precondition: Option<Precondition>,
        image: Option<ResolvedImage>,
    ) -> Result<Done, Rejection> {
        let runtime = &self.services[index];
        if let Some(precondition) = precondition {
            check(runtime, precondition)?;
        }
        if matches!(command, Command::Forget) {
            return self.forget(index).await;
        }
        let event = match image {
            Some(image) => self.image_event(index, command, image)?,
            None => event(runtime, command)?,
        };
        let runtime = &self.services[index];
        let before = runtime.state.release.as_ref().map(|release| release.id.clone());
        let serving = runtime.state.sides[runtime.state.active].release.clone();
        let could_go_back = runtime.state.rollback_available();
        let seen = match event.clone() {
            Event::Pushed { version, at, delivery } => Some(Event::PushSeen { version, at, delivery }),
            _ => None,
        };
        let outcome = self.apply(index, event).await;
        if let (
            Some(seen),
            Err(Refusal::SameVersion { .. } | Refusal::UnderWay { .. } | Refusal::Quarantined { .. }),
        ) = (seen, &outcome)
        {
            // The same delivery must not release the version after a person has left it.
            self.apply_fact(index, seen).await;
        }
        match outcome {
            Ok(taken) => {
                let mut done = done(&self.services[index], command, before.as_ref(), &taken);
                if could_go_back {
                    done.message.push_str(&lost_rollback(&self.services[index], command));
                }
                Ok(done)
            }
            Err(Refusal::SameVersion { version }) => Ok(Done {
                release: serving.map(|id| id.to_string()),
                noop: true,
                accepted: false,
                message: format!(
                    "version {version} is active already: nothing to do; --force releases it again"
                ),
            }),
            Err(Refusal::UnderWay { version, release }) => Ok(Done {
                message: format!("version {version} is under release already, as {release}: nothing to do"),
                release: Some(release),
                noop: true,
                accepted: false,
            }),
            // The webhook intake sends the push again by itself, once the store can be written.
            Err(refused @ Refusal::StoreUnwritable) => {
                let code = RefusalCode::from(&refused);
                let why = format!("{refused} ({})", room(&self.started.store_path).await);
                if matches!(command, Command::Pushed { .. }) {
                    Err(Rejection::Unavailable { code, why })
                } else {
                    Err(Rejection::Conflict { code, why })
                }
            }
            Err(Refusal::UnknownRelease(id)) => self.not_kept(index, id).await,
            Err(refused) => Err(refused.into()),
        }
    }

    /// Answers a rollback to a release that the service can't go back to. A release that the history lists
    /// is not called unknown.
    async fn not_kept(&self, index: usize, id: String) -> Result<Done, Rejection> {
        let service = &self.services[index];
        let (name, state) = (service.name(), &service.state);
        let stored = self.store.release(&ReleaseId::new(id.as_str())).await.ok().flatten();
        let view = stored.and_then(|stored| serde_json::from_str::<ReleaseView>(&stored.json).ok());
        let Some(view) = view.filter(|view| view.service == name.as_str()) else {
            return Err(Rejection::UnknownRelease(id));
        };
        let version = &view.version;
        let why = match (view.state, state.policy.upstream) {
            (ended, _) if view.promoted_at.is_none() => format!(
                "{id} ended as {ended} and never had the traffic, so there is nothing to go back to; \
                 `greenlight deploy {name}` releases a version"
            ),
            (_, UpstreamKind::Fixed) => format!(
                "{id} is in the history, but neither color is known to run its version {version} any more: bring \
                 it up on {}, then `greenlight deploy {name} --version {version}`",
                state.active.other()
            ),
            (_, UpstreamKind::Managed) => format!(
                "{id} is in the history, but its containers are not kept any more: \
                 `greenlight deploy {name} --version {version}` releases the version again"
            ),
        };
        Err(Rejection::Conflict { code: RefusalCode::NoRollback, why })
    }
}

/// The answer to a command that found everything as it was asked for.
fn unchanged(command: &Command) -> Option<&'static str> {
    match command {
        Command::Unpin => Some("it is not pinned: nothing to do"),
        Command::Pause => Some("its client requests are held already: nothing to do"),
        Command::Resume => Some("its client requests are not held: nothing to do"),
        _ => None,
    }
}

fn check(runtime: &ServiceRuntime, precondition: Precondition) -> Result<(), Rejection> {
    let (word, expected, found) = match precondition {
        Precondition::Epoch(epoch) => ("epoch", epoch, runtime.state.epoch.0),
        Precondition::Revision(revision) => ("revision", revision, runtime.revision.0),
    };
    if expected == found {
        return Ok(());
    }
    Err(Rejection::Stale(format!(
        "the service is at {word} {found}, not {expected}: something has changed since; look again, then decide again"
    )))
}

fn event(runtime: &ServiceRuntime, command: &Command) -> Result<Event, Rejection> {
    Ok(match command.clone() {
        Command::Deploy { image: Some(image), .. } => {
            return Err(Rejection::Invalid(format!(
                "service \"{}\" has upstream.kind = \"fixed\": its endpoints run somewhere else, so there is no image \
                 to start ({image}); name what is released with --version",
                runtime.name()
            )));
        }
        Command::Deploy { image: None, version, force, auto_promote } => {
            Event::Deploy { version: version.map(Version), auto_promote, force, source: Source::Person }
        }
        Command::Pushed { version: Some(version), image: None, at, delivery, .. } => {
            Event::Pushed { version: Version(version), at, delivery }
        }
        Command::Pushed { subject, .. } => {
            return Err(Rejection::Invalid(format!(
                "service \"{}\" can't release {subject}: its endpoints run somewhere else, and it names no version",
                runtime.name()
            )));
        }
        Command::Promote { force } => Event::Promote { force },
        Command::Abort => Event::Abort,
        Command::Rollback { to, quarantine, force } => {
            Event::Rollback { to: to.map(|id| ReleaseId::new(id.as_str())), quarantine, force }
        }
        Command::Pin { reason, lasts } => Event::Pin { reason, lasts },
        Command::Unpin => Event::Unpin,
        Command::Pause => Event::Pause,
        Command::Resume => Event::Resume,
        Command::Unquarantine { version } => Event::Unquarantine { version: Version(version) },
        // The state knows nothing of the memory, so the caller has done it before.
        Command::Forget => Event::Deadline,
    })
}

/// Makes the answer: the fact that was done, the next step, and how to undo it.
fn done(runtime: &ServiceRuntime, command: &Command, before: Option<&ReleaseId>, taken: &Taken) -> Done {
    let state = &runtime.state;
    let name = runtime.name();
    if let (true, Some(message)) = (taken.reason.is_empty(), unchanged(command)) {
        return Done { release: None, noop: true, accepted: false, message: message.to_owned() };
    }
    let release = taken.release.as_ref().or(state.release.as_ref().map(|release| &release.id));
    let release = release.map(ToString::to_string);
    let started = taken.release.is_some() && taken.release.as_ref() != before;
    let accepted = match command {
        Command::Deploy { .. } | Command::Pushed { .. } => true,
        // After success, a rollback is a release of its own, which is followed like any other.
        Command::Rollback { .. } => started,
        _ => false,
    };
    let next = match command {
        Command::Deploy { .. } | Command::Pushed { .. } => format!(
            "next: `greenlight status {name} --watch` follows it; `greenlight abort {name}` ends it before the switch"
        ),
        Command::Promote { .. } if state.rollback_available() => {
            format!("undo: `greenlight rollback {name}`")
        }
        Command::Promote { .. } => "it is the first release, so there is nothing to go back to".to_owned(),
        Command::Abort if state.rollback_available() || state.policy.upstream != UpstreamKind::Fixed => {
            format!("next: `greenlight deploy {name}` begins a new one")
        }
        Command::Abort => format!(
            "next: `greenlight deploy {name}` begins a new one; there is no version to go back to, since {} was \
             given to this release",
            state.active.other()
        ),
        Command::Rollback { .. } if started => format!("next: `greenlight status {name} --watch` follows it"),
        Command::Rollback { .. } => {
            format!("next: `greenlight explain {}` tells why", release.as_deref().unwrap_or("RELEASE"))
        }
        Command::Pin { .. } => {
            format!("nothing moves by itself now, not even a revert; undo: `greenlight unpin {name}`")
        }
        Command::Unpin => format!("releases and reverts go on by themselves; undo: `greenlight pin {name}`"),
        Command::Pause => format!(
            "client requests wait up to {}, then get 503; undo: `greenlight resume {name}`",
            humantime::format_duration(runtime.config.settings.pause_timeout)
        ),
        Command::Resume => format!("undo: `greenlight pause {name}`"),
        Command::Unquarantine { .. } => "the version can be released again".to_owned(),
        Command::Forget => "it learns again from now on".to_owned(),
    };
    let unwritten = if state.unwritable {
        "; the store can't be written, so a restart would undo this until it can"
    } else {
        ""
    };
    let reason = if taken.reason.is_empty() { String::new() } else { format!("{}; ", taken.reason) };
    Done { release, noop: false, accepted, message: format!("{reason}{next}{unwritten}") }
}

/// A sentence for a person whose deploy has taken the way back. Where somebody else runs the endpoints, the
/// other color runs the new version from now on, and no longer the version that a rollback would go back to.
fn lost_rollback(runtime: &ServiceRuntime, command: &Command) -> String {
    let state = &runtime.state;
    let lost = state.policy.upstream == UpstreamKind::Fixed
        && matches!(command, Command::Deploy { .. } | Command::Pushed { .. })
        && state.stretch() == Stretch::Before
        && !state.rollback_available();
    if lost {
        format!(
            "; until it has succeeded there is nothing to go back to, since {} no longer runs the version before",
            state.active.other()
        )
    } else {
        String::new()
    }
}

fn describe(command: &Command) -> String {
    let forced = |force: bool| if force { " (forced)" } else { "" };
    match command {
        Command::Deploy { image, version, force, auto_promote } => {
            let what = image.as_deref().or(version.as_deref()).unwrap_or("a fresh label");
            let auto = auto_promote.map(|auto| format!(", auto_promote {auto}")).unwrap_or_default();
            format!("deploy {what}{auto}{}", forced(*force))
        }
        Command::Pushed { subject, .. } => format!("push of {subject}"),
        Command::Promote { force } => format!("promote{}", forced(*force)),
        Command::Abort => "abort".to_owned(),
        Command::Rollback { to, quarantine, force } => format!(
            "rollback{}{}{}",
            to.as_ref().map(|id| format!(" to {id}")).unwrap_or_default(),
            if *quarantine { ", quarantine" } else { "" },
            forced(*force)
        ),
        Command::Pin { reason, lasts } => format!(
            "pin{}{}",
            lasts.map(|lasts| format!(" for {}", humantime::format_duration(lasts))).unwrap_or_default(),
            reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
        ),
        Command::Unpin => "unpin".to_owned(),
        Command::Pause => "pause".to_owned(),
        Command::Resume => "resume".to_owned(),
        Command::Unquarantine { version } => format!("take {version} out of quarantine"),
        Command::Forget => "forget how the service usually is".to_owned(),
    }
}
