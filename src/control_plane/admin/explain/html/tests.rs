use crate::control_plane::controller::{EventView, Exhibits, ReleaseView};
use crate::model::Color;

use super::*;

#[test]
fn nothing_of_a_release_becomes_markup() {
    let evil = "<script>alert(1)</script>\"'&";
    let text = || evil.to_owned();
    let numbers: serde_json::Map<_, _> = [(text(), serde_json::Value::String(text()))].into_iter().collect();
    let release = ReleaseView {
        id: text(),
        service: text(),
        kind: text(),
        version: text(),
        image: Some(text()),
        progress: None,
        color: Color::Green,
        state: StateName::Reverted,
        reason: text(),
        started_at: text(),
        promoted_at: Some(text()),
        finished_at: Some(text()),
        canary_percent: None,
        verdict: Some(Verdict::Fail),
        cause: Some(text()),
        numbers: numbers.clone(),
    };
    let event = EventView {
        seq: 1,
        release: text(),
        service: text(),
        event: text(),
        time: text(),
        reason: text(),
        numbers,
    };
    let html = page(&Explanation::new(release, vec![event], Exhibits::default()));
    assert!(!html.contains("<script"), "{html}");
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;";
    assert_eq!(html.matches(escaped).count(), 15, "{html}");
}
