//! The engine of managed containers: sets that end, and what runs.

use greenlight::model::Color;
use greenlight::release::{Event, Presence, UpstreamKind};

use super::front::{Front, Outcome};

impl Front {
    /// Gives the number of running containers of each set, once its engine is heard, if it has changed.
    pub(super) fn tell_presence(&mut self) -> Outcome {
        for color in Color::ALL {
            let presence = self.state.sides[color].containers.clone().map(|set| {
                let runs = self.sets.get(&set).is_some_and(|set| set.runs);
                let running = if runs { self.state.policy.replicas } else { 0 };
                Presence { set, running, stopped: false, restarts: 0 }
            });
            let managed = self.state.policy.upstream == UpstreamKind::Managed;
            if managed && self.state.presence[color] != presence {
                self.give(&Event::Present { color, presence })?;
            }
        }
        Ok(())
    }

    /// A set's containers end, and their engine does not start them again.
    pub(super) fn kill(&mut self, color: Color) -> Outcome {
        if self.state.policy.upstream != UpstreamKind::Managed {
            return Ok(());
        }
        if let Some(set) = self.state.sides[color].containers.clone().and_then(|set| self.sets.get_mut(&set))
        {
            set.runs = false;
        }
        self.list_managed(color);
        self.tell(color)
    }

    /// Whether the containers of the active color run, if greenlight runs them and has made some.
    pub(super) fn active_runs(&self) -> bool {
        let set = self.state.sides[self.state.active].containers.as_ref();
        let managed = self.state.policy.upstream == UpstreamKind::Managed;
        !managed || set.is_none_or(|set| self.sets.get(set).is_some_and(|set| set.runs))
    }
}
