//! Looks up the image of a requested release. A tag becomes a digest before the step gets the
//! event, so that the step can ignore a digest that is already active and refuse one in quarantine.
//! The controller's loop does not wait for a registry.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Service, Upstream as Configured};
use crate::control_plane::controller::message::{Command, Internal, Request, ResolvedImage};
use crate::control_plane::controller::rejection::{RefusalCode, Rejection};
use crate::control_plane::controller::run::Controller;
use crate::control_plane::provider::docker::{DockerFault, ServiceEngines};
use crate::model::{ImageReference, Version, is_digest, is_tag};
use crate::release::{Event, Source, Stretch};
use crate::tasks;

use super::{configured_image, upstream};

/// The most registries that are asked at a time, over all services.
pub(crate) const ASKED_MAX: usize = 32;

/// The pauses between two looks at a tag that does not have the pushed digest yet.
const LOOK_AGAIN: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
];

/// Returns the digest of a tag. A registry may report a push before it has written the tag (CNCF
/// distribution sends the event when the manifest is stored). So a tag without the expected digest
/// is looked up again for about three seconds. After that, the digest that it has counts.
async fn settled(
    upstream: &ServiceEngines,
    image: &ImageReference,
    expected: Option<&str>,
) -> Result<Version, DockerFault> {
    let mut found = upstream.resolve(image).await;
    let Some(expected) = expected else { return found };
    for pause in LOOK_AGAIN {
        match &found {
            Ok(version) if version.0 == expected => break,
            Err(why) if why.passes() => break,
            _ => {}
        }
        tokio::time::sleep(pause).await;
        found = upstream.resolve(image).await;
    }
    found
}

impl Controller {
    /// Starts the look-up of a request's image. A request without an image to look up is given
    /// back, to be answered at once; the second value is an error if the image can't be looked up.
    pub(crate) fn resolve_first(
        &mut self,
        index: usize,
        request: Request,
    ) -> Result<(), Box<(Request, Option<Rejection>)>> {
        let service = &self.services[index].config;
        let image = match image_of(service, &request.command) {
            Ok(Some(image)) => image,
            Ok(None) => return Err(Box::new((request, None))),
            Err(rejection) => return Err(Box::new((request, Some(rejection)))),
        };
        let Some(upstream) = upstream(service) else { return Err(Box::new((request, None))) };
        let Ok(place) = Arc::clone(&self.asking).try_acquire_owned() else {
            let full = format!("{ASKED_MAX} registries are being asked already: ask again in a moment");
            let busy = Rejection::Unavailable { code: RefusalCode::Busy, why: full };
            return Err(Box::new((request, Some(busy))));
        };
        let internal = self.internal.clone();
        let expected = match &request.command {
            Command::Pushed { digest, .. } => digest.clone(),
            _ => None,
        };
        self.tasks.spawn(tasks::named("image look-up", async move {
            let version = settled(&upstream, &image, expected.as_deref()).await;
            drop(place);
            // The receiver is gone only when the process is stopping.
            let _ =
                internal.send(Internal::Resolved(Box::new(request), ResolvedImage { image, version })).await;
        }));
        Ok(())
    }

    /// Makes the event of a release of an image. If the image can't be had, the release begins all
    /// the same and fails, so that it is announced and recorded. But such a release does not take
    /// the place of one that is under way.
    pub(crate) fn image_event(
        &mut self,
        index: usize,
        command: &Command,
        image: ResolvedImage,
    ) -> Result<Event, Rejection> {
        let ResolvedImage { image, version } = image;
        let service = &mut self.services[index];
        let version = match version {
            Ok(version) => version,
            Err(DockerFault::Refused(why)) if service.state.stretch() != Stretch::Final => {
                return Err(Rejection::Conflict {
                    code: RefusalCode::ImageUnavailable,
                    why: format!("{why}; the release that is under way goes on"),
                });
            }
            // The intake gives the push again later. It must not take the place of the release under way.
            Err(why)
                if matches!(command, Command::Pushed { .. }) && service.state.stretch() != Stretch::Final =>
            {
                return Err(Rejection::Unavailable {
                    code: RefusalCode::ImageUnavailable,
                    why: why.to_string(),
                });
            }
            // The pull asks the registry again.
            Err(_) => Version(image.to_string()),
        };
        if let Some(containers) = service.containers.as_mut() {
            containers.stored.images.insert(version.clone(), image.to_string());
        }
        let (auto_promote, force) = match command {
            Command::Pushed { at, delivery, .. } => {
                return Ok(Event::Pushed { version, at: *at, delivery: delivery.clone() });
            }
            Command::Deploy { auto_promote, force, .. } => (*auto_promote, *force),
            _ => (None, false),
        };
        Ok(Event::Deploy { version: Some(version), auto_promote, force, source: Source::Person })
    }
}

/// Returns the image that a command requests; `None` if there is no image to look up.
fn image_of(service: &Service, command: &Command) -> Result<Option<ImageReference>, Rejection> {
    let name = &service.name;
    let follow = match &service.upstream {
        Configured::Fixed { .. } => return Ok(None),
        Configured::Docker { follow, .. } => *follow,
    };
    let (image, version) = match command {
        Command::Deploy { image, version, .. } | Command::Pushed { image, version, .. } => {
            (image.as_deref(), version.as_deref())
        }
        _ => return Ok(None),
    };
    let parse = |text: &str| ImageReference::parse(text).map_err(|why| Rejection::Invalid(why.to_string()));
    if follow {
        return match image {
            None => Ok(None),
            Some(image) => Err(Rejection::Invalid(format!(
                "service \"{name}\" has follow = true: its containers are run by somebody else, so {image} is not \
                 started here; bring containers of the other color up"
            ))),
        };
    }
    let configured = || {
        configured_image(service)
            .ok_or_else(|| Rejection::Invalid(format!("service \"{name}\" has no upstream.image: name one")))
    };
    match (image, version) {
        (Some(image), None) => parse(image).map(Some),
        (None, None) => configured().map(Some),
        (image, Some(digest)) if is_digest(digest) => {
            let mut image = image.map_or_else(configured, parse)?;
            image.digest = Some(digest.to_owned());
            Ok(Some(image))
        }
        (None, Some(tag)) if is_tag(tag) => configured().map(|image| Some(image.tagged(tag))),
        (Some(_), Some(version)) => Err(Rejection::Invalid(format!(
            "\"{version}\" is no digest: beside an image --version is one (sha256:...), since what is released is \
             known by its digest; the tag is part of the image"
        ))),
        (None, Some(version)) => Err(Rejection::Invalid(format!(
            "\"{version}\" is neither a tag of upstream.image nor a digest (sha256:...)"
        ))),
    }
}
