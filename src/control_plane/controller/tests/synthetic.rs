//! A service without users, watched by synthetic requests.

use super::rig::{Origin, Rig};
use super::{Command, deploy};
use crate::judge::Verdict;
use crate::model::Color;
use crate::release::StateName;

const SYNTHETIC: &str = "[services.backend.analysis]\nsynthetic = { paths = [\"/work\"], rate = 50 }";

fn number(service: &super::super::ServiceView, key: &str) -> u64 {
    let release = service.release.as_ref();
    release.and_then(|release| release.numbers.get(key)?.as_u64()).unwrap_or(0)
}

/// Waits until the written course shows that the error score has reached its bound, and returns the
/// course.
async fn crossed(rig: &Rig) -> crate::judge::Series {
    let id = crate::model::ReleaseId::from("backend-1");
    rig.until_some("its course", async || {
        let exhibits = super::super::Exhibits::read(&rig.store, &id).await.unwrap();
        let crossed = |rule: &crate::judge::RuleSeries| {
            rule.rule == "errors" && rule.s.iter().zip(&rule.h).any(|(s, h)| *h > 0.0 && s >= h)
        };
        exhibits.series.filter(|series| series.rules.iter().any(crossed))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn synthetic_requests_are_evidence_for_a_candidate_without_traffic() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, SYNTHETIC).await;
    rig.command(deploy("v2")).await.unwrap();
    let seen = rig.until("evidence", |service| number(service, "n") >= 20).await;
    assert_eq!((seen.state.as_str(), number(&seen, "e")), ("baking", 0));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_fails_them_is_reverted_and_its_course_is_kept() {
    let (blue, green) = (Origin::up().await, Origin::failing("/work").await);
    let rig = Rig::start(&blue, &green, SYNTHETIC).await;
    rig.command(deploy("v2")).await.unwrap();
    let after =
        rig.until("the revert", |service| service.epoch == 2 && service.state == StateName::Stable).await;
    assert_eq!(after.active, Color::Blue);
    let release = after.release.as_ref().unwrap();
    assert_eq!((release.state.as_str(), release.verdict), ("reverted", Some(Verdict::Fail)));
    assert!(release.reason.contains("too many errors on green"), "{}", release.reason);
    let course = crossed(&rig).await;
    assert_eq!(course.candidate.errors, course.candidate.requests);
    assert!(course.candidate.errors.iter().sum::<u32>() >= 4, "{course:?}");
    rig.stop().await;
}

/// A release that is held waits for a person, and its course stops. But the course must show why
/// the release is held.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_candidate_shows_in_its_course_why_it_is_held() {
    let (blue, green) = (Origin::up().await, Origin::failing("/work").await);
    let rig = Rig::start(&blue, &green, &format!("on_trip = \"hold\"\n{SYNTHETIC}")).await;
    rig.command(deploy("v2")).await.unwrap();
    let held = rig.until("degraded", |service| service.state == StateName::Degraded).await;
    assert_eq!((held.active.as_str(), held.epoch), ("green", 1));
    crossed(&rig).await;
    // The score and its bound are on /metrics too, until the release has ended.
    let gauges = || {
        let score = rig.gauge("greenlight_judge_score", "errors");
        score.zip(rig.gauge("greenlight_judge_threshold", "errors"))
    };
    let (score, threshold) = gauges().unwrap();
    assert!(threshold > 12.5 && score >= threshold, "{score} of {threshold}");
    rig.command(Command::Rollback { to: None, quarantine: false, force: false }).await.unwrap();
    rig.until("the rollback's end", |service| service.state == StateName::Stable).await;
    assert_eq!(gauges(), Some((0.0, 0.0)));
    rig.stop().await;
}

/// Both colors fail the synthetic requests, though their probes pass. So the release is not to
/// blame.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_both_colors_is_an_outside_cause() {
    let (blue, green) = (Origin::failing("/work").await, Origin::failing("/work").await);
    let rig = Rig::start(&blue, &green, SYNTHETIC).await;
    rig.command(deploy("v2")).await.unwrap();
    let service = rig.until("the alarm", |service| service.alarms.contains_key("external-cause")).await;
    assert_eq!((service.active.as_str(), service.epoch, service.state.as_str()), ("green", 1, "baking"));
    rig.stop().await;
}
