//! The policy of a seed.

use std::time::Duration;

use greenlight::release::{Policy, UpstreamKind};

use super::rng::Rng;

/// The policy of a seed, with short times, so that whole releases fit into a few hundred events.
pub(super) fn policy(rng: &mut Rng) -> Policy {
    use greenlight::release::{Errands, Mode, OnInconclusive, OnTrip, Trigger};
    let seconds = Duration::from_secs;
    let managed = rng.one_in(300);
    let errand = |rng: &mut Rng| rng.one_in(250).then(|| seconds(rng.pick(&[1, 5, 20])));
    let errands = Errands {
        pre_promote: errand(rng),
        post_promote: errand(rng),
        on_revert: errand(rng),
        tags: errand(rng),
    };
    Policy {
        upstream: if managed { UpstreamKind::Managed } else { UpstreamKind::Fixed },
        replicas: if managed { 2 } else { 0 },
        supervise: true,
        trigger: if rng.one_in(300) { Trigger::OnHealthy } else { Trigger::Manual },
        auto_promote: !rng.one_in(200),
        debounce: seconds(rng.pick(&[0, 2, 5])),
        pull_timeout: seconds(30),
        progress_deadline: seconds(40),
        promote_timeout: seconds(120),
        bake_time: seconds(rng.pick(&[0, 10, 20, 40])),
        standby_ttl: seconds(rng.pick(&[0, 10, 60])),
        drain_timeout: seconds(5),
        keep_releases: usize::try_from(rng.below(4)).unwrap(),
        on_trip: if rng.one_in(150) { OnTrip::Hold } else { OnTrip::Revert },
        on_inconclusive: rng.pick(&[
            OnInconclusive::Promote,
            OnInconclusive::Extend,
            OnInconclusive::Hold,
            OnInconclusive::Revert,
        ]),
        thresholds: greenlight::health::Thresholds { rise: rng.pick(&[1, 2, 3]), fall: rng.pick(&[1, 2, 3]) },
        interval: seconds(1),
        timeout: seconds(2),
        min_healthy_time: seconds(rng.pick(&[0, 2, 5])),
        mode: rng.pick(&[
            Mode::Enforce,
            Mode::Enforce,
            Mode::Enforce,
            Mode::Enforce,
            Mode::Observe,
            Mode::Off,
        ]),
        judge: greenlight::judge::Policy::default(),
        errands,
        canary_percent: if rng.one_in(300) { vec![5, 25] } else { Vec::new() },
    }
}
