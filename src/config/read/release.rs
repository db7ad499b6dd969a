//! Reads `[services.NAME.release]` and `[services.NAME.analysis]`.

use std::time::Duration;

use crate::config::Synthetic;
use crate::config::kind::{duration, flag, integer, list, number, some, some_time, text_that};
use crate::config::name::check_path;
use crate::config::section::Section;
use crate::judge::OnLatency;
use crate::release::{Mode, OnInconclusive, OnTrip, Policy, Trigger};

const DAY: Duration = Duration::from_hours(24);
/// The judge keeps so much of the past. A longer window is cut to it.
const WINDOW_MAX: Duration = Duration::from_hours(1);

pub(super) fn release(section: &mut Section<'_, '_>, policy: &mut Policy) {
    const TRIGGERS: [(&str, Trigger); 2] = [("manual", Trigger::Manual), ("on_healthy", Trigger::OnHealthy)];
    const ON_TRIP: [(&str, OnTrip); 2] = [("revert", OnTrip::Revert), ("hold", OnTrip::Hold)];
    const ON_INCONCLUSIVE: [(&str, OnInconclusive); 4] = [
        ("promote", OnInconclusive::Promote),
        ("extend", OnInconclusive::Extend),
        ("hold", OnInconclusive::Hold),
        ("revert", OnInconclusive::Revert),
    ];
    policy.trigger = section.word("trigger", &TRIGGERS, policy.trigger);
    policy.auto_promote = section.value("auto_promote", flag, policy.auto_promote);
    policy.debounce = section.value("debounce", duration(..=DAY), policy.debounce);
    policy.pull_timeout = section.value("pull_timeout", some_time(), policy.pull_timeout);
    policy.progress_deadline = section.value("progress_deadline", some_time(), policy.progress_deadline);
    policy.promote_timeout = section.value("promote_timeout", some_time(), policy.promote_timeout);
    policy.bake_time = section.value("bake_time", duration(..), policy.bake_time);
    policy.standby_ttl = section.value("standby_ttl", duration(..), policy.standby_ttl);
    policy.drain_timeout = section.value("drain_timeout", duration(..), policy.drain_timeout);
    policy.keep_releases = section.value("keep_releases", integer(1..=1000), policy.keep_releases);
    policy.on_trip = section.word("on_trip", &ON_TRIP, policy.on_trip);
    policy.on_inconclusive = section.word("on_inconclusive", &ON_INCONCLUSIVE, policy.on_inconclusive);
}

/// Reads `[analysis]` into the policy. Returns the settings of the synthetic requests, if there are any.
pub(super) fn analysis(section: &mut Section<'_, '_>, policy: &mut Policy) -> Option<Synthetic> {
    const MODES: [(&str, Mode); 3] =
        [("enforce", Mode::Enforce), ("observe", Mode::Observe), ("off", Mode::Off)];
    const LATENCY: [(&str, OnLatency); 3] =
        [("revert", OnLatency::Revert), ("notify", OnLatency::Notify), ("off", OnLatency::Off)];
    policy.mode = section.word("mode", &MODES, policy.mode);
    let judge = &mut policy.judge;
    let alpha =
        number(|alpha| alpha > 0.0 && alpha <= 0.5, "a chance greater than 0 and at most 0.5, such as 0.001");
    judge.alpha = section.value("alpha", alpha, judge.alpha);
    // The judge keeps the window second by second, so its length has a limit.
    let window = duration(Duration::from_secs(1)..=DAY);
    judge.baseline_window = section.value("baseline_window", window, judge.baseline_window);
    if judge.baseline_window > WINDOW_MAX {
        let key = section.key("baseline_window");
        section.walk.warn(&key, "counts as \"1h\": the judge keeps no more of the past");
    }
    let floor =
        number(|rate| rate > 0.0 && rate <= 0.5, "a share greater than 0 and at most 0.5, such as 0.005");
    judge.rate_floor = section.value("rate_floor", floor, judge.rate_floor);
    let ratio =
        number(|ratio| ratio > 1.0 && ratio <= 1000.0, "greater than 1 and at most 1000, such as 3.0");
    judge.ratio = section.value("ratio", ratio, judge.ratio);
    let points = number(|points| (0.0..1.0).contains(&points), "a share from 0 to less than 1, such as 0.02");
    judge.add_points = section.value("add_points", points, judge.add_points);
    judge.latency = section.word("latency", &LATENCY, judge.latency);
    judge.latency_warmup = section.value("latency_warmup", duration(..=DAY), judge.latency_warmup);
    let canary_percent = section.value("canary_percent", list(integer(1..=99), "[5, 25]"), Vec::new());
    let key = section.key("canary_percent");
    if canary_percent.windows(2).any(|pair| pair[0] >= pair[1]) && section.walk.sound(&[&key]) {
        section
            .walk
            .fault(&key, "does not rise: each step must be greater than the one before, as in [5, 25]");
    }
    let synthetic = section.optional_section("synthetic", |synthetic| Synthetic {
        paths: synthetic.value(
            "paths",
            some(text_that("a path, such as \"/\"", check_path), "[\"/\"]"),
            vec!["/".to_owned()],
        ),
        rate: synthetic.value("rate", integer(1..=1000), 5),
    });
    policy.canary_percent = canary_percent;
    synthetic
}
