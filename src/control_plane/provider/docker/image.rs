//! Images. A tag becomes a digest, a digest is fetched, and an image that is not needed is removed.

use bollard::models::ImageInspect;
use bollard::query_parameters::{CreateImageOptionsBuilder, RemoveImageOptionsBuilder};
use futures_util::{StreamExt as _, future};

use crate::model::{ImageReference, Version, is_digest};

use super::fault::Doing;
use super::progress::Progress;
use super::upstream::ServiceEngines;
use super::{CallOff, DockerFault, Engine, credentials};

impl ServiceEngines {
    /// The digest that a reference stands for in its registry now. It is the digest of the manifest, or of
    /// the index if the image has variants. A reference with a digest stands for that digest, and no
    /// registry is asked.
    ///
    /// # Errors
    /// A fault that [`DockerFault::passes`] if no engine answers or the registry does not; else the
    /// registry's refusal.
    pub async fn resolve(&self, image: &ImageReference) -> Result<Version, DockerFault> {
        if let Some(digest) = &image.digest {
            return Ok(Version(digest.clone()));
        }
        let who = credentials::find(image.registry(), self.config().registry_auth.as_ref()).await?;
        let name = image.to_string();
        let mut last = None;
        for engine in self.engines() {
            let asked = engine.ask(Doing::Image(&name), async |docker| {
                docker.inspect_registry_image(&name, who.clone()).await
            });
            match asked.await {
                Ok(found) => {
                    let digest = found.descriptor.digest.unwrap_or_default();
                    if is_digest(&digest) {
                        return Ok(Version(digest));
                    }
                    let why = format!("the registry names no sha256 digest of {name}, but \"{digest}\"");
                    return Err(DockerFault::Refused(why));
                }
                Err(away @ DockerFault::Away { .. }) => last = Some(away),
                Err(fault) => return Err(fault),
            }
        }
        Err(last.unwrap_or_else(|| DockerFault::Refused("no engine is configured".to_owned())))
    }

    /// Fetches an image by its digest, to every engine at once. An engine that has the image already does
    /// not fetch it. `progress` is called with the state of the pull.
    ///
    /// # Errors
    /// The fault of the first engine that fails.
    pub async fn pull(
        &self,
        image: &ImageReference,
        version: &Version,
        mut off: CallOff,
        progress: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), DockerFault> {
        let who = credentials::find(image.registry(), self.config().registry_auth.as_ref()).await?;
        let several = self.engines().len() > 1;
        let who = &who;
        let pulls = self.engines().iter().map(|engine| async move {
            let told = |text: String| {
                progress(if several { format!("{}: {text}", engine.name()) } else { text });
            };
            pull_to(engine, image, version, who.as_ref(), &told).await
        });
        tokio::select! {
            pulled = future::try_join_all(pulls) => pulled.map(drop),
            () = off.wait() => Err(DockerFault::CalledOff),
        }
    }

    /// Removes an image that no container needs any more. An image that is in use or gone already is left
    /// as it is.
    ///
    /// # Errors
    /// Only [`DockerFault::Away`].
    pub async fn remove_image(&self, image: &ImageReference, version: &Version) -> Result<(), DockerFault> {
        let name = image.at(&version.0);
        for engine in self.engines() {
            let options = RemoveImageOptionsBuilder::default().force(false).noprune(false).build();
            let removed = engine
                .ask(Doing::Other("removing an image"), async |docker| {
                    docker.remove_image(&name, Some(options), None).await
                })
                .await;
            match removed {
                Ok(_) => {
                    tracing::info!(service = %self.service(), image = name, engine = engine.name(), "image removed");
                }
                Err(away @ DockerFault::Away { .. }) => return Err(away),
                Err(why) => {
                    tracing::debug!(service = %self.service(), image = name, %why, "the image stays");
                }
            }
        }
        Ok(())
    }
}

/// An image as an engine has it. `None` if the engine does not have it.
pub(crate) async fn inspect(engine: &Engine, name: &str) -> Result<Option<ImageInspect>, DockerFault> {
    let found = engine
        .ask(Doing::Image(name), async |docker| match docker.inspect_image(name).await {
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            other => other.map(Some),
        })
        .await?;
    Ok(found)
}

async fn pull_to(
    engine: &Engine,
    image: &ImageReference,
    version: &Version,
    who: Option<&bollard::auth::DockerCredentials>,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<(), DockerFault> {
    let name = image.at(&version.0);
    if inspect(engine, &name).await?.is_some() {
        progress("the image is there already".to_owned());
        return Ok(());
    }
    let client = engine.client().await?;
    let options = CreateImageOptionsBuilder::default().from_image(&image.repository).tag(&version.0).build();
    let mut lines = Box::pin(client.create_image(Some(options), None, who.cloned()));
    let mut seen = Progress::default();
    let mut told = String::new();
    while let Some(line) = lines.next().await {
        let line = line.map_err(|error| engine.fault(Doing::Image(&name), &error))?;
        if let Some(error) = line.error_detail.and_then(|error| error.message) {
            let error = bollard::errors::Error::DockerStreamError { error };
            return Err(engine.fault(Doing::Image(&name), &error));
        }
        let (Some(layer), Some(status)) = (line.id.as_deref(), line.status.as_deref()) else { continue };
        let bytes = line.progress_detail.unwrap_or_default();
        seen.take(layer, status, bytes.current, bytes.total);
        let text = seen.text();
        if text != told {
            progress(text.clone());
            told = text;
        }
    }
    match inspect(engine, &name).await? {
        Some(_) => Ok(()),
        None => Err(DockerFault::Refused(format!(
            "image {name} was pulled, and the engine {} does not have it all the same",
            engine.name()
        ))),
    }
}
