//! `poll_interval`: the registry is asked for the present digest of a tag, if no webhook can reach
//! greenlight.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::Service;
use crate::control_plane::controller::message::Internal;
use crate::control_plane::controller::run::Controller;
use crate::control_plane::provider::docker::DockerFault;
use crate::model::{ImageReference, Version};
use crate::release::Event;
use crate::tasks;

use super::{configured_image, docker, upstream};

/// The random part of the interval, up or down, so that many greenlights do not ask at the same
/// time.
const JITTER: f64 = 0.1;

/// Asks the registry until it is dropped.
#[derive(Debug)]
pub(crate) struct Poll {
    task: JoinHandle<()>,
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Poll {
    /// Starts to ask; `None` if the service has no `poll_interval`, no image, an image with a
    /// digest, or no replicas.
    pub(crate) fn start(service: &Arc<Service>, internal: &mpsc::Sender<Internal>) -> Option<Self> {
        let every = docker(service)?.poll_interval;
        let (image, upstream) = (configured_image(service)?, upstream(service)?);
        if every.is_zero() || image.digest.is_some() || service.policy.replicas == 0 {
            return None;
        }
        let (name, internal) = (service.name.clone(), internal.clone());
        let asking = async move {
            let mut failing = false;
            loop {
                match upstream.resolve(&image).await {
                    Ok(version) => {
                        failing = false;
                        // The record says whether it is new, so that a restart finds nothing again.
                        let found = Internal::TagMeans(name.clone(), image.clone(), version);
                        if internal.send(found).await.is_err() {
                            return;
                        }
                    }
                    // The engine's watch reports an engine that is away.
                    Err(DockerFault::Away { .. }) => {}
                    Err(why) => {
                        if !failing {
                            tracing::warn!(service = %name, %why, "the registry can't be asked for a new image");
                        }
                        failing = true;
                    }
                }
                tokio::time::sleep(every.mul_f64(1.0 - JITTER + 2.0 * JITTER * fastrand::f64())).await;
            }
        };
        Some(Self { task: tasks::spawn("tag poll", asking) })
    }
}

impl Controller {
    /// Handles the digest that a tag has now. The state knows whether it is new.
    pub(crate) async fn found(&mut self, index: usize, image: ImageReference, version: Version) {
        let service = &mut self.services[index];
        if service.state.pushes.found.as_ref() == Some(&version) {
            return;
        }
        let Some(containers) = service.containers.as_mut() else { return };
        containers.stored.images.insert(version.clone(), image.to_string());
        tracing::info!(service = %service.config.name, %image, %version, "the registry has a new image");
        self.apply_fact(index, Event::Found { version }).await;
    }
}
