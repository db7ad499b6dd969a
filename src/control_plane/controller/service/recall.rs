//! The judge's memory of a service, and the seconds that are withheld from it until their release has
//! succeeded.

use crate::judge::{Baseline, BaselineWindow, Bucket, Memory, Policy, Usual, Verdict};
use crate::release::{Phase, State, Stretch};

/// Closed seconds between two writes of the memory.
const WRITE_EVERY: u8 = 60;

#[derive(Debug, Default)]
pub(crate) struct Recall {
    memory: Memory,
    /// The seconds of a release between its switch and its success.
    held: Memory,
    /// Whether the last second was between a switch and the release's end.
    switched: bool,
    unwritten: u8,
}

impl Recall {
    /// A memory as it was stored. Fails if the text is no memory.
    pub(crate) fn stored(json: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { memory: serde_json::from_str(json)?, ..Self::default() })
    }

    /// How the service usually is; `None` if nothing is known.
    pub(crate) fn usual(&self) -> Option<Usual> {
        self.memory.usual()
    }

    /// Adds a closed second of the active color. A second enters the memory when it leaves the window.
    pub(crate) fn second(
        &mut self,
        state: &State,
        window: &mut BaselineWindow,
        bucket: &Bucket,
        policy: &Policy,
    ) {
        let switched = state.stretch() == Stretch::After;
        if self.switched && !switched {
            self.end(state, window);
        }
        self.switched = switched;
        let memory = if switched { &mut self.held } else { &mut self.memory };
        window.push_into(bucket, policy, memory);
    }

    /// Takes what the window holds, because the traffic leaves this color with a new release.
    pub(crate) fn leave(&mut self, window: &mut BaselineWindow) {
        window.flush_into(&mut self.memory);
    }

    /// Counts a second towards the next write. Returns the text to write when it is due.
    pub(crate) fn due(&mut self) -> Option<String> {
        self.unwritten += 1;
        if self.unwritten < WRITE_EVERY {
            return None;
        }
        self.unwritten = 0;
        self.json()
    }

    /// The text to write.
    pub(crate) fn json(&self) -> Option<String> {
        serde_json::to_string(&self.memory).ok()
    }

    /// Forgets everything.
    pub(crate) fn forget(&mut self) {
        (self.memory, self.held) = (Memory::default(), Memory::default());
    }

    /// A release has ended. Its seconds count if it has passed, and never if it failed.
    fn end(&mut self, state: &State, window: &mut BaselineWindow) {
        let held = std::mem::take(&mut self.held);
        let Some(release) = &state.release else { return };
        if !matches!(release.phase, Phase::Succeeded) {
            return;
        }
        if release.verdict == Some(Verdict::Fail) {
            window.withhold();
        } else {
            self.memory.absorb(&held);
        }
    }
}

/// Describes how the active color is surely worse than it usually is; `None` while it is not.
pub(crate) fn incident(state: &State, baseline: &Baseline) -> Option<String> {
    let usual = baseline.usual?;
    let share = |errors: u64, requests: u64| 100.0 * errors as f64 / requests.max(1) as f64;
    baseline.is_worse_than_usual(&state.policy.judge).then(|| {
        format!(
            "{} is worse than usual: {} errors in {} requests ({:.2} %) in the last {} s, usually {:.2} %",
            state.active,
            baseline.errors,
            baseline.requests,
            share(baseline.errors, baseline.requests),
            baseline.seconds,
            share(usual.errors, usual.requests)
        )
    })
}
