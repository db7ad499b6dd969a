//! Commands of people. They are checked, given to the step, and answered in sentences.

use crate::model::{ReleaseId, Version};
use crate::release::{Event, Refusal, Source};

use super::apply::Taken;
use super::message::{Command, Done, Precondition, Request, ResolvedImage};
use super::rejection::{RefusalCode, Rejection};
use super::run::Controller;
use super::service::{ServiceRuntime, Waiter};
use super::view::AuditEntry;

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
        let event = match image {
            Some(image) => self.image_event(index, command, image)?,
            None => event(runtime, command)?,
        };
        let runtime = &self.services[index];
        let before = runtime.state.release.as_ref().map(|release| release.id.clone());
        let serving = runtime.state.sides[runtime.state.active].release.clone();
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
            Ok(taken) => Ok(done(&self.services[index], command, before.as_ref(), &taken)),
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
            Err(refused @ Refusal::StoreUnwritable) if matches!(command, Command::Pushed { .. }) => {
                let code = RefusalCode::from(&refused);
                Err(Rejection::Unavailable { code, why: refused.to_string() })
            }
            Err(refused) => Err(refused.into()),
        }
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
    })
}

/// Makes the answer: the fact that was done, the next step, and how to undo it.
fn done(runtime: &ServiceRuntime, command: &Command, before: Option<&ReleaseId>, taken: &Taken) -> Done {
    let state = &runtime.state;
    let name = runtime.name();
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
        Command::Promote { .. } => format!("undo: `greenlight rollback {name}`"),
        Command::Abort => format!("next: `greenlight deploy {name}` begins a new one"),
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
    };
    Done { release, noop: false, accepted, message: format!("{}; {next}", taken.reason) }
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
    }
}
