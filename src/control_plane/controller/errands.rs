//! Carries out errands: hooks are called and tags are moved. Each errand runs in a task and returns
//! as an event.

use std::time::Duration;

use crate::clock;
use crate::config::{Docker, Hook, HookAction, Upstream};
use crate::control_plane::notify::{HookCall, call};
use crate::control_plane::provider::docker::{CommandEnd, CommandRun, DockerFault, run_command};
use crate::control_plane::provider::registry::{Retag, digest_of, login, retag};
use crate::model::{Color, ImageReference, ReleaseId, Version};
use crate::release::{Errand, Event};
use crate::tasks;

use super::message::Internal;
use super::run::Controller;
use super::service::ServiceRuntime;

/// The subject of an errand.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) errand: Errand,
    pub(crate) release: ReleaseId,
    pub(crate) color: Color,
    pub(crate) version: Version,
    pub(crate) other: Option<Version>,
}

impl ServiceRuntime {
    /// Ends the tasks of errands whose outcome the state does not wait for any more.
    pub(crate) fn drop_errands(&mut self) {
        let state = &self.state;
        self.errands.retain(|(release, errand), task| {
            let waited = state
                .errands
                .iter()
                .any(|run| run.outcome.is_none() && run.release == *release && run.errand == *errand);
            if !waited {
                task.abort();
            }
            waited
        });
    }

    fn hook(&self, errand: Errand) -> Option<Hook> {
        let hooks = &self.config.hooks;
        match errand {
            Errand::PrePromote => hooks.pre_promote.clone(),
            Errand::PostPromote => hooks.post_promote.clone(),
            Errand::OnRevert => hooks.on_revert.clone(),
            Errand::Tags => None,
        }
    }

    /// Returns the image reference with which a version was requested, and the Docker keys of the
    /// service.
    fn image_and_keys(&self, version: &Version) -> Option<(ImageReference, Docker)> {
        let Upstream::Docker { engine, .. } = &self.config.upstream else { return None };
        let image = self.containers.as_ref()?.image_of(&self.config, version)?;
        Some((image, (**engine).clone()))
    }

    /// Makes the command of a hook, to be run in a fresh container of the release's image.
    fn hook_command(&self, about: &About, command: Vec<String>, timeout: Duration) -> Option<CommandRun> {
        let (image, config) = self.image_and_keys(&about.version)?;
        let call = self.hook_call(about);
        let variables = [
            ("HOOK", call.hook),
            ("SERVICE", call.service),
            ("RELEASE", call.release),
            ("VERSION", call.version),
            ("COLOR", call.color),
            ("ENDPOINTS", call.endpoints.join(",")),
        ];
        Some(CommandRun {
            service: self.name().clone(),
            config,
            image: image.to_string(),
            version: about.version.to_string(),
            command,
            env: variables.iter().map(|(name, value)| format!("GREENLIGHT_{name}={value}")).collect(),
            timeout,
        })
    }

    fn hook_call(&self, about: &About) -> HookCall {
        let endpoints = self.rosters[about.color].endpoints().iter();
        HookCall {
            hook: about.errand.as_str().to_owned(),
            service: self.name().to_string(),
            release: about.release.to_string(),
            version: about.version.to_string(),
            color: about.color.to_string(),
            other_version: about.other.as_ref().map(ToString::to_string),
            endpoints: endpoints.map(|(endpoint, _)| endpoint.address.to_string()).collect(),
            time: clock::wall_rfc3339(),
        }
    }
}

/// Translates the end of a command to an errand's outcome.
fn ended(end: Result<CommandEnd, DockerFault>) -> Result<(), String> {
    let CommandEnd { code, log } = end.map_err(|why| why.to_string())?;
    let said = log.iter().rev().find(|line| !line.trim().is_empty());
    let said = said.map_or_else(String::new, |line| format!("; it said last: {}", line.trim()));
    match code {
        Some(0) => Ok(()),
        Some(code) => Err(format!("the command ended with exit code {code}{said}")),
        None => Err(format!("the command did not end within its timeout{said}")),
    }
}

impl Controller {
    /// Begins an errand. If its task runs already, that task is ended and a new one begins.
    pub(crate) fn run_errand(&mut self, index: usize, about: About) {
        let service = &self.services[index];
        let (internal, name) = (self.internal.clone(), service.name().clone());
        let timeout = service.state.policy.errands.timeout(about.errand).unwrap_or(Duration::from_secs(30));
        let key = (about.release.clone(), about.errand);
        let done = {
            let (release, errand) = key.clone();
            move |outcome: Result<(), String>| {
                Internal::Event(name, Event::ErrandDone { release, errand, outcome })
            }
        };
        let task = match service.hook(about.errand) {
            Some(Hook { action: HookAction::Url(url), timeout }) => {
                let hook = service.hook_call(&about);
                self.tasks.spawn(tasks::named("hook call", async move {
                    let outcome = call(&url, timeout, &hook).await;
                    let _ = internal.send(done(outcome)).await;
                }))
            }
            Some(Hook { action: HookAction::Command(command), timeout }) => {
                let run = service.hook_command(&about, command, timeout);
                self.tasks.spawn(tasks::named("hook command", async move {
                    let outcome = match run {
                        Some(run) => ended(run_command(run).await),
                        // `config` refuses commands for services whose containers greenlight does
                        // not run.
                        None => Err("there is no container engine to run it in".to_owned()),
                    };
                    let _ = internal.send(done(outcome)).await;
                }))
            }
            None if about.errand == Errand::Tags => {
                let place = service.image_and_keys(&about.version);
                self.tasks.spawn(tasks::named("tags", async move {
                    let moving = async {
                        match &place {
                            Some((image, docker)) => move_tags(image, docker, &about).await,
                            None => Ok(()),
                        }
                    };
                    let late = |_| Err(format!("no end within {}", humantime::format_duration(timeout)));
                    let outcome = tokio::time::timeout(timeout, moving).await.unwrap_or_else(late);
                    let _ = internal.send(done(outcome)).await;
                }))
            }
            // A reload has removed the hook from the configuration. Then there is nothing to do,
            // which is no failure.
            None => self.tasks.spawn(tasks::named("errand", async move {
                let _ = internal.send(done(Ok(()))).await;
            })),
        };
        if let Some(before) = self.services[index].errands.insert(key, task) {
            before.abort();
        }
    }
}

/// Moves the `stable` tag to the version that serves now, and the `previous` tag to the version
/// that served before.
async fn move_tags(image: &ImageReference, docker: &Docker, about: &About) -> Result<(), String> {
    let Some(tags) = &docker.tags else { return Ok(()) };
    let stable = digest_of(&about.version.0)
        .ok_or_else(|| format!("the version {} names no digest: there is nothing to tag", about.version))?;
    let previous = about.other.as_ref().and_then(|other| digest_of(&other.0));
    let mut moves = Vec::new();
    if let (Some(tag), Some(digest)) = (&tags.previous, previous) {
        moves.push((tag.clone(), digest.to_owned()));
    }
    if let Some(tag) = &tags.stable {
        moves.push((tag.clone(), stable.to_owned()));
    }
    let host = image.registry().to_owned();
    let login = login(&host, docker.registry_auth.as_ref()).await?;
    let retagging = Retag { host, repository: image.path(), moves };
    retag(&retagging, login).await.map_err(|why| why.to_string())
}
