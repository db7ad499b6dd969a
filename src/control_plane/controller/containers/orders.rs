//! Translates effects on containers to orders for the service's crew.

use crate::control_plane::controller::run::Controller;
use crate::control_plane::provider::docker::{Set, call_off};
use crate::model::{Color, ImageReference, ReleaseId, Version, is_digest};
use crate::release::{Effect, State};

use super::Containers;
use super::crew::Order;

impl Controller {
    /// Gives the order for an effect. If the effect ends a set, other work for that set is called
    /// off first.
    pub(crate) fn order(&mut self, index: usize, effect: Effect) {
        let service = &mut self.services[index];
        let (config, state) = (service.config.clone(), &service.state);
        let Some(containers) = service.containers.as_mut().filter(|containers| containers.crew.is_some())
        else {
            tracing::error!(service = %config.name, ?effect, "nothing is started or stopped here");
            return;
        };
        let order = match effect {
            Effect::Pull { release, version } => {
                let Some(image) = containers.image_of(&config, &version) else { return };
                let version = is_digest(&version.0).then_some(version);
                let off = containers.begin(&release);
                Order::Pull { release, image, version, off }
            }
            Effect::Start { release, color } => match set(containers, &config, state, release.clone(), color)
            {
                Some(set) => {
                    containers.came_up = None;
                    containers.restarts_told = 0;
                    // Only restarts of this release count, not those of its kept containers before.
                    containers.restarts_before.retain(|id, _| {
                        containers
                            .members
                            .get(id)
                            .is_none_or(|member| member.set.as_ref() != Some(&set.release))
                    });
                    let off = containers.begin(&set.release);
                    Order::Start { set, off }
                }
                None => return self.repair(index, release, color),
            },
            Effect::SaveEvidence { release: set } => {
                containers.end(&set);
                let owner = state.release.as_ref().filter(|release| release.containers == set);
                let release = owner.map_or_else(|| set.clone(), |release| release.id.clone());
                Order::Save { set, release }
            }
            Effect::Stop { release: set, .. } => {
                containers.end(&set);
                containers.swept.insert(set.clone());
                Order::Stop { set }
            }
            Effect::Remove { release: set, .. } => {
                containers.end(&set);
                containers.swept.insert(set.clone());
                let image = containers.image_to_remove(&config, state, &set);
                Order::Remove { set, image }
            }
            _ => return,
        };
        containers.give(order);
    }

    /// Brings a set up again that serves or stands by. Its containers have ended, or there are too few.
    fn repair(&mut self, index: usize, set: ReleaseId, color: Color) {
        let service = &mut self.services[index];
        let (config, side) = (service.config.clone(), &service.state.sides[color]);
        let Some(version) = side.version.clone().filter(|_| side.containers.as_ref() == Some(&set)) else {
            return;
        };
        let replicas = service.state.policy.replicas;
        let Some(containers) = service.containers.as_mut() else { return };
        let Some(mut image) = containers.image_of(&config, &version) else { return };
        image.digest = None;
        let off = containers.begin(&set);
        if let Some(crew) = &containers.repairs {
            crew.order(Order::Start { set: Set { release: set, color, version, image, replicas }, off });
        }
    }

    /// Removes the containers that commands of hooks left behind. No hook runs when greenlight
    /// starts.
    pub(crate) fn tidy(&mut self, index: usize) {
        if let Some(containers) = &self.services[index].containers {
            containers.give(Order::Tidy);
        }
    }
}

/// Returns the description of a set by the record.
fn set(
    containers: &Containers,
    config: &crate::config::Service,
    state: &State,
    release: ReleaseId,
    color: Color,
) -> Option<Set> {
    let running = state.running().filter(|running| running.containers == release);
    let (version, replicas) = running.map(|running| (running.version.clone(), running.expected))?;
    let mut image = containers.image_of(config, &version)?;
    image.digest = None;
    Some(Set { release, color, version, image, replicas })
}

impl Containers {
    pub(crate) fn give(&self, order: Order) {
        if let Some(crew) = &self.crew {
            crew.order(order);
        }
    }

    /// Notes that work for a set begins, and returns the receiver by which the work can be called
    /// off.
    fn begin(&mut self, set: &ReleaseId) -> crate::control_plane::provider::docker::CallOff {
        let (caller, off) = call_off();
        self.end(set);
        self.under_way.push((set.clone(), caller));
        off
    }

    /// Calls off all work that brings a set up.
    pub(crate) fn end(&mut self, set: &ReleaseId) {
        self.under_way.retain(|(other, caller)| {
            let ends = other == set;
            if ends {
                caller.call_off();
            }
            !ends
        });
        if self.came_up.as_ref() == Some(set) {
            self.came_up = None;
        }
    }

    /// Returns the image that belongs to a set: the one in its containers' labels, or else the one
    /// of its release.
    pub(crate) fn image_to_remove(
        &self,
        config: &crate::config::Service,
        state: &State,
        set: &ReleaseId,
    ) -> Option<(ImageReference, Version)> {
        let labeled =
            self.reports.values().flatten().flat_map(|report| report.containers.values()).find_map(|found| {
                let marks = found.marks.as_ref()?;
                if marks.set.as_ref() != Some(set) || marks.service != config.name {
                    return None;
                }
                let image = ImageReference::parse(marks.image.as_deref()?).ok()?;
                Some((image, marks.version.clone()?))
            });
        labeled.or_else(|| {
            let release = state.release.as_ref().filter(|release| release.id == *set)?;
            let image = self.image_of(config, &release.version)?;
            is_digest(&release.version.0).then(|| (image, release.version.clone()))
        })
    }
}
