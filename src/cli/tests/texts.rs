//! Tests of the texts that the commands print.

use serde_json::{Map, Value, json};

use crate::cli::output::printable;
use crate::cli::sse::Parser;
use crate::cli::{history, reload, rundown, status};
use crate::control_plane::controller::{
    EndpointView, EventView, PinView, ReleaseView, ReloadReport, ServiceView,
};
use crate::judge::Verdict;
use crate::model::{Color, Health};
use crate::release::StateName;

fn numbers() -> Map<String, Value> {
    json!({"n": 312, "e": 21, "s": 9.3, "h": 14.2, "p0": 0.005}).as_object().unwrap().clone()
}

fn event(seconds: u32, word: &str, reason: &str, numbers: Map<String, Value>) -> EventView {
    EventView {
        seq: u64::from(seconds),
        release: "shop-7".into(),
        service: "shop".into(),
        event: word.into(),
        time: format!("2026-11-24T14:02:{seconds:02}.000Z"),
        reason: reason.into(),
        numbers,
    }
}

fn release(state: &str) -> ReleaseView {
    ReleaseView {
        kind: "deploy".into(),
        version: "v42".into(),
        reason: "the reason".into(),
        started_at: "2026-11-24T14:02:11.000Z".into(),
        ..ReleaseView::new("shop-7", "shop", Color::Green, StateName::from_word(state).unwrap())
    }
}

fn endpoint(color: &str, health: Health) -> EndpointView {
    EndpointView {
        id: format!("shop/{color}"),
        address: "10.0.0.1:8080".into(),
        color: color.parse().unwrap(),
        health,
        inflight: 3,
        last_failure: (health == Health::Unhealthy).then(|| "connection refused".to_owned()),
    }
}

fn service(state: &str) -> ServiceView {
    ServiceView {
        name: "shop".into(),
        hosts: vec!["shop.example.org".into()],
        active: Color::Blue,
        active_version: Some("v41".into()),
        candidate_version: None,
        epoch: 3,
        revision: 12,
        state: StateName::from_word(state).unwrap(),
        pinned: false,
        pin: None,
        paused: false,
        rollback_available: true,
        release: Some(ReleaseView { numbers: numbers(), ..release(state) }),
        queued: None,
        endpoints: vec![
            endpoint("blue", Health::Healthy),
            endpoint("green", Health::Healthy),
            endpoint("green", Health::Unhealthy),
        ],
        containers: std::collections::BTreeMap::new(),
        alarms: std::collections::BTreeMap::new(),
        deadline_in_seconds: Some(247.4),
    }
}

#[test]
fn a_rundown_has_one_line_for_each_step() {
    let start = "2026-11-24T14:02:11.000Z";
    let lines = [
        rundown::line(start, &event(11, "checking", "probes of green run", Map::new())),
        rundown::line(start, &event(31, "baking", "all traffic on green", Map::new())),
        rundown::line(start, &event(37, "reverting", "errors", numbers())),
        rundown::line(
            start,
            &event(
                38,
                "awaiting_promotion",
                "no numbers of a bake",
                json!({"x": 1}).as_object().unwrap().clone(),
            ),
        ),
    ];
    let expected = [
        "14:02:11     +0:00  checking           probes of green run",
        "14:02:31     +0:20  baking             all traffic on green",
        "14:02:37     +0:26  reverting          errors  [n 312, e 21, S 9.30 of 14.20]",
        "14:02:38     +0:27  awaiting_promotion no numbers of a bake",
    ];
    assert_eq!(lines, expected);
    let odd = EventView { time: "when?".into(), ..event(1, "note", "x", Map::new()) };
    assert_eq!(rundown::line(start, &odd), "when?            note               x");
}

#[test]
fn progress_is_about_the_release_that_is_followed() {
    let baking = service("baking");
    let expected = "baking: green 1/2 healthy, n 312, e 21, S 9.30 of 14.20, 4:07 left";
    assert_eq!(rundown::progress(&baking, "shop-7"), expected);
    assert_eq!(rundown::progress(&baking, "shop-8"), "");
    let awaiting = rundown::progress(&service("awaiting_promotion"), "shop-7");
    assert!(awaiting.ends_with("4:07 left: greenlight promote shop"), "{awaiting}");
    let queued = ServiceView {
        queued: Some(ReleaseView {
            id: "shop-8".into(),
            reason: "waits for shop-7".into(),
            ..release("queued")
        }),
        ..baking
    };
    assert_eq!(rundown::progress(&queued, "shop-8"), "queued: waits for shop-7");
}

#[test]
fn every_end_has_verdict_cause_next_and_undo() {
    let reverted = ReleaseView {
        verdict: Some(Verdict::Fail),
        numbers: numbers(),
        finished_at: Some("2026-11-24T14:02:37.000Z".into()),
        ..release("reverted")
    };
    let expected = "
release shop-7: reverted after 0:26
  verdict  fail  [n 312, e 21, S 9.30 of 14.20]
  cause    the reason
  next     greenlight explain shop-7; v42 is in quarantine, so release another version
  undo     greenlight quarantine rm shop v42";
    assert_eq!(rundown::summary(&reverted), expected);

    for (state, next, undo) in [
        ("succeeded", "green has the traffic", "greenlight rollback shop"),
        ("failed", "greenlight deploy shop", "the traffic never moved"),
        ("cancelled", "greenlight deploy shop", "the traffic never moved"),
        ("rolled_back", "greenlight explain shop-7", "greenlight deploy shop"),
    ] {
        let text = rundown::summary(&release(state));
        assert!(text.contains(next) && text.contains(undo), "{text}");
    }
    for (cause, next) in [
        ("pinned", "greenlight unpin shop"),
        ("old_sick", "the old color is sick"),
        ("hold", "told to hold"),
        ("inconclusive", "too little traffic"),
    ] {
        let text = rundown::summary(&ReleaseView { cause: Some(cause.into()), ..release("degraded") });
        assert!(text.contains(next) && text.contains(&format!("cause    {cause}: the reason")), "{text}");
        assert!(
            text.contains("greenlight promote shop keeps green") && text.contains("greenlight rollback shop")
        );
    }
}

#[test]
fn a_wait_that_is_given_up_says_that_it_goes_on() {
    let minute = std::time::Duration::from_mins(1);
    let before = rundown::timed_out(Some(&release("checking")), "shop-7", minute);
    assert!(before.contains("still checking after 1m; it goes on"), "{before}");
    assert!(before.contains("greenlight abort shop"), "{before}");
    let after = ReleaseView { promoted_at: Some("2026-11-24T14:02:31.000Z".into()), ..release("baking") };
    assert!(rundown::timed_out(Some(&after), "shop-7", minute).contains("greenlight rollback shop"));
    assert!(rundown::timed_out(None, "shop-7", minute).contains("under way"));
}

#[test]
fn status_is_a_table_a_page_or_a_log_line() {
    let pinned = ServiceView {
        pinned: true,
        pin: Some(PinView { reason: Some("holiday".into()), until: None }),
        alarms: [("active-down".to_owned(), "blue is down".to_owned())].into_iter().collect(),
        ..service("baking")
    };
    let all = status::text::all(std::slice::from_ref(&pinned));
    let expected = "\
SERVICE  ACTIVE  VERSION  STATE   RELEASE               BLUE  GREEN  NOTES
shop     blue    v41      baking  shop-7 (v42, baking)  1/1   1/2    ALARM active-down, pinned (holiday)";
    assert_eq!(all, expected);
    let one = "\
service shop: blue is active, baking
  active    blue: version v41
  hosts     shop.example.org
  epoch     3, revision 12
  release   shop-7: deploy of v42 on green
            baking: the reason
            baking: green 1/2 healthy, n 312, e 21, S 9.30 of 14.20, 4:07 left
  note      pinned (holiday)
  ALARM     active-down: blue is down

ENDPOINT       COLOR  HEALTH     IN FLIGHT  LAST FAILURE
10.0.0.1:8080  blue   healthy    3
10.0.0.1:8080  green  healthy    3
10.0.0.1:8080  green  unhealthy  3          connection refused

next: the judge watches (4:07 left); to go back: greenlight rollback shop";
    assert_eq!(status::text::one(&pinned), one);
    let line = "shop: blue active (v41), baking, shop-7 (v42, baking), blue 1/1, green 1/2, pinned (holiday), ALARM active-down";
    assert_eq!(status::text::line(&pinned), line);
    assert!(status::text::all(&[]).contains("no service"));
}

#[test]
fn history_is_a_table_and_reload_a_list_of_keys() {
    let ended = ReleaseView {
        verdict: Some(Verdict::Pass),
        finished_at: Some("2026-11-24T14:08:11.000Z".into()),
        ..release("succeeded")
    };
    let expected = "\
RELEASE  STATE      KIND    VERSION  COLOR  STARTED              TOOK  VERDICT  REASON
shop-7   succeeded  deploy  v42      green  2026-11-24 14:02:11  6:00  pass     the reason";
    assert_eq!(history::text(&[ended]), expected);
    let report = ReloadReport {
        applied: vec!["services.shop.health.interval".into()],
        needs_restart: vec!["admin.bind".into()],
        faults: Vec::new(),
    };
    let text = reload::text(&report);
    assert!(text.contains("in force now:\n  services.shop.health.interval\n"), "{text}");
    assert!(text.contains("needs a restart of `greenlight run`:\n  admin.bind"), "{text}");
    assert!(reload::text(&ReloadReport::default()).contains("nothing"));
}

#[test]
fn control_characters_of_a_server_never_reach_the_terminal() {
    assert_eq!(printable("a\u{1b}[2Jb\r\u{9b}c\nd\te"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\nd\te");
}

#[test]
fn events_are_parsed_from_pieces_of_any_size() {
    let story = "retry: 500\r\n\r\nid: 1\nevent: checking\ndata: {\"seq\":1,\"release\":\"shop-7\",\"service\":\"shop\",\ndata: \"event\":\"checking\",\"time\":\"t\",\"reason\":\"é\",\"numbers\":{}}\n\n: keep-alive\n\ndata: rubbish\n\n";
    for size in 1..story.len() {
        let mut parser = Parser::default();
        for piece in story.as_bytes().chunks(size) {
            parser.push(piece).unwrap();
        }
        let event = parser.pop().unwrap();
        assert_eq!((event.seq, event.event.as_str(), event.reason.as_str()), (1, "checking", "é"), "{size}");
        assert!(parser.pop().is_none());
    }
    let mut parser = Parser::default();
    assert!(parser.push(&vec![b'x'; 2 * 1024 * 1024]).is_err());
}

#[test]
fn a_digest_is_cut_and_has_the_tag_that_was_asked_for_beside_it() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let mut reverted = service("stable");
    reverted.active_version = Some(digest.clone());
    reverted.release = Some(ReleaseView {
        version: format!("sha256:{}", "fedcba9876543210".repeat(4)),
        image: Some("registry.example.org:5000/org/shop:prod".into()),
        ..release("reverted")
    });
    let all = status::text::all(std::slice::from_ref(&reverted));
    assert!(all.contains("blue    sha256:0123456789ab  stable"), "{all}");
    assert!(all.contains("shop-7 (prod (sha256:fedcba987654), reverted)"), "{all}");
    // The version of a release that serves is said with its tag.
    reverted.release = Some(ReleaseView {
        version: digest,
        image: Some("org/shop:prod@sha256:0123".into()),
        ..release("succeeded")
    });
    let page = status::text::one(&reverted);
    assert!(page.contains("active    blue: version prod (sha256:0123456789ab)"), "{page}");
}
