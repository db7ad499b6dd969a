//! Tests of the texts that the commands print.

use serde_json::{Map, Value, json};

use crate::cli::output::printable;
use crate::cli::sse::Parser;
use crate::cli::watch::{Page, frame};
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
        "14:02:37     +0:26  reverting          errors  [21 errors in 312 requests]",
        "14:02:38     +0:27  awaiting_promotion no numbers of a bake",
    ];
    assert_eq!(lines, expected);
    let odd = EventView { time: "when?".into(), ..event(1, "note", "x", Map::new()) };
    assert_eq!(rundown::line(start, &odd), "when?            note               x");
}

#[test]
fn progress_is_about_the_release_that_is_followed() {
    let baking = service("baking");
    let expected = "baking: green 1/2 healthy (connection refused), 21 errors in 312 requests, 4:07 left";
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
  verdict  fail  [21 errors in 312 requests]
  version  v42
  cause    the reason
  next     greenlight explain shop-7; v42 is in quarantine, so release another version
  undo     greenlight quarantine rm shop v42";
    assert_eq!(rundown::summary(&reverted, true), expected);

    for (state, next, undo) in [
        ("succeeded", "green has the traffic", "greenlight rollback shop"),
        ("failed", "greenlight deploy shop", "the traffic never moved"),
        ("cancelled", "greenlight deploy shop", "the traffic never moved"),
        ("rolled_back", "greenlight explain shop-7", "greenlight deploy shop"),
    ] {
        let text = rundown::summary(&release(state), true);
        assert!(text.contains(next) && text.contains(undo), "{text}");
    }
    for (cause, next) in [
        ("pinned", "greenlight unpin shop"),
        ("old_sick", "the old color is sick"),
        ("hold", "told to hold"),
        ("inconclusive", "too little traffic"),
    ] {
        let text = rundown::summary(&ReleaseView { cause: Some(cause.into()), ..release("degraded") }, true);
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
            baking: green 1/2 healthy (connection refused), 21 errors in 312 requests, 4:07 left
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
        next_release: vec!["services.shop.upstream.network".into()],
        faults: Vec::new(),
        warnings: vec!["listeners[0].tls: no certificate is for x.example.org".into()],
    };
    let text = reload::text(&report);
    assert!(text.contains("in force now:\n  services.shop.health.interval\n"), "{text}");
    assert!(text.contains("needs a restart of `greenlight run`:\n  admin.bind"), "{text}");
    assert!(text.ends_with("\nwarning: listeners[0].tls: no certificate is for x.example.org"), "{text}");
    assert!(text.contains("at the next release:\n  services.shop.upstream.network"), "{text}");
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

#[test]
fn a_first_release_offers_no_way_back_that_would_be_refused() {
    let text = rundown::summary(&release("succeeded"), false);
    assert!(!text.contains("rollback") && text.contains("nothing to go back to"), "{text}");
}

#[test]
fn a_wait_cuts_digests_and_keeps_those_of_commands() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let image = Some("registry.example.org/org/shop:prod".to_owned());
    let reason = format!("green is checked for version {digest}: 3 of 3");
    let line = rundown::line("2026-11-24T14:02:11.000Z", &event(11, "checking", &reason, Map::new()));
    assert!(line.ends_with("green is checked for version sha256:0123456789ab: 3 of 3"), "{line}");
    let reverted = ReleaseView { version: digest.clone(), image, reason, ..release("reverted") };
    let text = rundown::summary(&reverted, true);
    assert!(text.contains("version  prod (sha256:0123456789ab)\n"), "{text}");
    assert!(text.contains("cause    green is checked for version sha256:0123456789ab: 3 of 3\n"), "{text}");
    assert!(text.ends_with(&format!("greenlight quarantine rm shop {digest}")), "{text}");
}

#[test]
fn a_reason_with_the_counts_gets_no_second_ones() {
    let reason = "pass: 21 errors in 312 requests (6.73 %)";
    let line = rundown::line("2026-11-24T14:02:11.000Z", &event(11, "succeeded", reason, numbers()));
    assert!(line.ends_with(reason), "{line}");
}

#[test]
fn a_redrawn_page_fits_the_terminal() {
    let text = "a very long line\n\tshort\u{1b}\nlast";
    assert_eq!(frame(text, 80, 24)[..2], ["a very long line", " short\u{fffd}"]);
    let small = frame(text, 10, 5);
    assert_eq!(small, ["a very lo", "ng line", " short\u{fffd}", "", "1 more li"]);
    for (width, height) in [(1, 1), (2, 2), (3, 3), (200, 1), (1, 200)] {
        let lines = frame(text, width, height);
        assert!(lines.len() <= height, "{width}x{height}: {lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() < width.max(2)), "{width}x{height}");
    }
}

#[test]
fn a_page_leaves_the_persons_screen_as_it_was() {
    let mut out = Vec::new();
    let mut page = Page::open(&mut out);
    page.draw("two\nlines");
    page.draw("one");
    drop(page);
    let text = String::from_utf8(out).unwrap();
    let (enter, leave) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
    assert!(text.starts_with(enter) && text.ends_with(leave), "{text:?}");
    // Each page clears the rest of each of its lines, and all that is beneath.
    assert_eq!(text.matches("\u{1b}[J").count(), 2, "{text:?}");
    assert!(text.contains("one\u{1b}[K"), "{text:?}");
}
