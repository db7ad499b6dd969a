#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::judge::Verdict;
use crate::model::Color;
use crate::release::Notice;

use super::backoff::pause;
use super::queue::{Queue, WAITING_MAX, Waiting};
use super::{AlarmChange, Notification, Receipt, ReleaseSummary, slack, webhook};

fn release(state: &str) -> ReleaseSummary {
    ReleaseSummary {
        id: "backend-7".to_owned(),
        kind: "deploy".to_owned(),
        version: format!("registry.example.org/org/<&>@sha256:{}", "0123456789abcdef".repeat(4)),
        color: Color::Green,
        state: state.to_owned(),
        started_at: "2026-01-01T10:00:00.000Z".to_owned(),
        promoted_at: None,
        finished_at: None,
        duration_seconds: Some(72.4),
        verdict: None,
        numbers: serde_json::Map::new(),
    }
}

fn news(notice: Notice, reason: &str) -> Notification {
    Notification {
        notice,
        service: "backend".to_owned(),
        time: "2026-01-01T10:01:12.400Z".to_owned(),
        reason: reason.to_owned(),
        release: Some(release(notice.as_str())),
        alarm: None,
        active: Color::Blue,
        active_version: Some("v6".to_owned()),
        rollback_available: true,
    }
}

fn judged(mut news: Notification, verdict: Verdict, numbers: Value) -> Notification {
    let release = news.release.as_mut().unwrap();
    release.verdict = Some(verdict);
    release.promoted_at = Some("2026-01-01T10:00:20.000Z".to_owned());
    let Value::Object(numbers) = numbers else { panic!() };
    release.numbers = numbers;
    news
}

/// Returns at least one notification of every kind.
fn all() -> Vec<(&'static str, Notification)> {
    let bad =
        json!({ "n": 400, "e": 40, "s": 14.2, "h": 13.8, "baseline_requests": 60000, "baseline_errors": 60 });
    let good = json!({ "n": 90000, "e": 91, "s": 0.0, "h": 13.8, "baseline_requests": 60000, "baseline_errors": 60 });
    let alarm = |raised| AlarmChange { name: "active-down".to_owned(), raised };
    vec![
        ("started", news(Notice::Started, "green is checked for version v7")),
        ("awaiting", news(Notice::Awaiting, "the gate opened; `promote` is waited for, 86400 s at most")),
        ("promoted", news(Notice::Promoted, "every worker has acknowledged the switch; watched for 300 s")),
        (
            "succeeded",
            judged(news(Notice::Succeeded, "pass: 91 errors in 90000 requests"), Verdict::Pass, good),
        ),
        (
            "failed",
            news(Notice::Failed, "the gate was shut after 600 s (progress_deadline): green had 1 of 3"),
        ),
        ("cancelled", news(Notice::Cancelled, "replaced by backend-8")),
        (
            "reverted",
            judged(news(Notice::Reverted, "too many errors on green <b>&amp;"), Verdict::Fail, bad.clone()),
        ),
        (
            "rolled_back",
            judged(
                news(Notice::RolledBack, "a person's rollback"),
                Verdict::Inconclusive,
                json!({ "n": 0, "e": 0 }),
            ),
        ),
        (
            "degraded",
            judged(
                news(Notice::Degraded, "the service is pinned: `rollback` or `promote`"),
                Verdict::Fail,
                bad,
            ),
        ),
        (
            "degraded_without_a_way_back",
            Notification {
                rollback_available: false,
                ..news(Notice::Degraded, "there is no healthy color to go back to")
            },
        ),
        (
            "alarm",
            Notification {
                alarm: Some(alarm(true)),
                release: None,
                ..news(Notice::Alarm, "blue is down and green is healthy")
            },
        ),
        (
            "alarm_over",
            Notification { alarm: Some(alarm(false)), ..news(Notice::Alarm, "it is healthy again") },
        ),
        ("long", news(Notice::Failed, &format!("the image can't be pulled: {}", "<&".repeat(4000)))),
    ]
}

fn golden(name: &str, found: &Value) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/control_plane/notify/tests/golden").join(name);
    let text = serde_json::to_string_pretty(found).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, known, "{}: UPDATE_GOLDEN=1 writes it", path.display());
}

#[test]
fn messages_are_as_they_are_written() {
    for (name, news) in all() {
        golden(&format!("{name}.slack.json"), &slack::message(&news));
        golden(&format!("{name}.webhook.json"), &webhook::message(&news));
    }
}

#[test]
fn slack_refuses_none_of_them() {
    for (name, news) in all() {
        let message = slack::message(&news);
        assert!(message["text"].as_str().unwrap().chars().count() <= 3000, "{name}");
        let blocks = message["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50, "{name}");
        for block in blocks {
            let most = if block["type"] == "header" { 150 } else { 3000 };
            let text = block["text"]["text"].as_str().unwrap_or("x");
            assert!((1..=most).contains(&text.chars().count()), "{name}: {text}");
            for field in block["fields"].as_array().into_iter().flatten() {
                let text = field["text"].as_str().unwrap();
                assert!((1..=2000).contains(&text.chars().count()), "{name}: {text}");
            }
            // Markup in a reason could become a link or notify everyone in a channel.
            let is_plain = block["text"]["type"] == "plain_text";
            assert!(is_plain || !text.contains('<'), "{name}: {text}");
        }
    }
}

#[test]
fn each_end_has_one_id_and_each_alarm_its_own() {
    let mut names: Vec<String> = all().iter().map(|(_, news)| news.id()).collect();
    assert!(names.contains(&"backend-7/succeeded".to_owned()), "{names:?}");
    names.sort();
    names.dedup();
    // The two degraded and the two failed notifications are about the same release here.
    assert_eq!(names.len(), all().len() - 2);
}

#[test]
fn pauses_grow_and_are_jittered() {
    let seconds = |tries, random| pause(tries, random).as_secs_f64();
    let full: Vec<f64> = (1..=9).map(|tries| seconds(tries, 1.0)).collect();
    assert_eq!(full, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
    assert!((seconds(1, 0.0) - 0.25).abs() < 1e-9 && (seconds(4, 0.5) - 3.0).abs() < 1e-9);
    assert!(seconds(u32::MAX, 7.0) <= 60.0);
}

#[tokio::test]
async fn the_oldest_gives_way_and_a_receipt_is_given_once() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let receipt = Receipt::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let queue = Queue::default();
    let waiting = |n: usize, receipt: Option<Arc<Receipt>>| {
        let news = Arc::new(news(Notice::Started, &n.to_string()));
        Waiting { news, receipt }
    };
    receipt.open();
    assert!(queue.push(waiting(0, Some(Arc::clone(&receipt)))).is_none());
    for n in 1..WAITING_MAX {
        assert!(queue.push(waiting(n, None)).is_none());
    }
    let oldest = queue.push(waiting(WAITING_MAX, None)).expect("one too many");
    assert_eq!(oldest.news.reason, "0");
    receipt.close();
    assert_eq!(told.load(Ordering::SeqCst), 0, "one notifier is not done");
    oldest.done();
    assert_eq!(told.load(Ordering::SeqCst), 1);
    for n in 1..=WAITING_MAX {
        let next = tokio::time::timeout(Duration::from_secs(5), queue.pop()).await.unwrap();
        assert_eq!(next.news.reason, n.to_string());
    }
}
