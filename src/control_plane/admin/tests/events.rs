//! The event stream: first the stored events, then live events, then the end.

use std::time::Duration;

use futures_util::StreamExt;

use super::*;

/// How long a test waits. A longer wait is a failure, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Events {
    body: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl Events {
    async fn open(api: &Api, release: &str, last: Option<u64>) -> Self {
        let mut request = api.request(Method::GET, &format!("/v1/releases/{release}/events"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.bytes_stream().boxed(), text: String::new() }
    }

    /// The next event as (id, event, data), or `None` at the end of the stream.
    async fn next(&mut self) -> Option<(Option<u64>, String, Value)> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()))
                };
                if let Some(event) = field("event:") {
                    let data = serde_json::from_str(&field("data:").unwrap()).unwrap();
                    return Some((field("id:").map(|id| id.parse().unwrap()), event, data));
                }
            }
            let chunk =
                tokio::time::timeout(PATIENCE, self.body.next()).await.expect("the stream goes on")?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    async fn words(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some((_, word, _)) = self.next().await {
            words.push(word);
        }
        words
    }
}

#[tokio::test]
async fn stored_events_come_first_then_live_ones_then_the_end() {
    let api = Api::start();
    let seqs = api.stored(&release("shop-1", "checking"), &["checking", "note"]).await;
    let mut events = Events::open(&api, "shop-1", None).await;
    let (id, word, data) = events.next().await.unwrap();
    assert_eq!((id, word.as_str()), (Some(seqs[0]), "checking"));
    let expected = json!({
        "seq": seqs[0], "release": "shop-1", "service": "shop", "event": "checking",
        "time": "2026-11-24T14:02:11.000Z", "reason": "now checking", "numbers": {}
    });
    assert_eq!(data, expected);
    assert_eq!(events.next().await.unwrap().1, "note");

    // The first is of another release, the second was sent already, and the third is new.
    api.tell(900, "shop-2", "failed");
    api.tell(seqs[1], "shop-1", "note");
    let seq = api.append("shop-1", "promoting").await;
    api.tell(seq, "shop-1", "promoting");
    let (id, word, _) = events.next().await.unwrap();
    assert_eq!((id, word.as_str()), (Some(seq), "promoting"));
    let seq = api.append("shop-1", "succeeded").await;
    api.tell(seq, "shop-1", "succeeded");
    assert_eq!(events.words().await, ["succeeded"]);
}

#[tokio::test]
async fn it_goes_on_after_the_last_event_that_was_received() {
    let api = Api::start();
    let seqs = api.stored(&release("shop-1", "failed"), &["checking", "note", "failed"]).await;
    assert_eq!(Events::open(&api, "shop-1", None).await.words().await, ["checking", "note", "failed"]);
    assert_eq!(Events::open(&api, "shop-1", Some(seqs[0])).await.words().await, ["note", "failed"]);
    // No event follows. The status 204 tells an EventSource not to ask again.
    let path = "/v1/releases/shop-1/events";
    let response = api.request(Method::GET, path).header("last-event-id", seqs[2]).send().await.unwrap();
    assert_eq!(response.status(), 204);
    for bad in ["x", "-1", "+1", "1.0", "null", "9223372036854775808", "99999999999999999999"] {
        let response = api.request(Method::GET, path).header("last-event-id", bad);
        problem(response.send().await.unwrap(), 400, "bad-request").await;
    }
}

#[tokio::test]
async fn more_than_a_page_and_more_than_the_broadcast_holds() {
    let api = Api::start();
    let many = vec!["note"; 600];
    api.stored(&release("shop-1", "checking"), &many).await;
    let mut events = Events::open(&api, "shop-1", None).await;
    for _ in 0..600 {
        assert_eq!(events.next().await.unwrap().1, "note");
    }
    // The stream is late by more than the channel holds (16 x 16), so it reads the store again.
    for _ in 0..300 {
        let seq = api.append("shop-1", "note").await;
        api.tell(seq, "shop-1", "note");
    }
    let seq = api.append("shop-1", "cancelled").await;
    api.tell(seq, "shop-1", "cancelled");
    let mut last = None;
    let mut count = 0;
    while let Some((id, word, _)) = events.next().await {
        assert!(id > last, "each once and in order");
        last = id;
        count += 1;
        if word == "cancelled" {
            break;
        }
    }
    assert_eq!(count, 301);
}

#[tokio::test]
async fn an_event_that_is_stored_but_never_told_comes_all_the_same() {
    let api = Api::start();
    api.stored(&release("shop-1", "baking"), &["baking"]).await;
    let mut events = Events::open(&api, "shop-1", None).await;
    assert_eq!(events.next().await.unwrap().1, "baking");
    api.append("shop-1", "reverted").await;
    assert_eq!(events.words().await, ["reverted"]);
}

#[tokio::test]
async fn an_event_that_could_not_be_stored_is_sent_without_a_number() {
    let api = Api::start();
    api.stored(&release("shop-1", "baking"), &["baking"]).await;
    let mut events = Events::open(&api, "shop-1", None).await;
    assert_eq!(events.next().await.unwrap().1, "baking");
    api.tell(0, "shop-1", "reverted");
    let (id, word, _) = events.next().await.unwrap();
    assert_eq!((id, word.as_str()), (None, "reverted"));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_release_whose_last_event_was_lost_ends_its_stream() {
    let api = Api::start();
    api.stored(&release("shop-1", "cancelled"), &["checking"]).await;
    assert_eq!(Events::open(&api, "shop-1", None).await.words().await, ["checking"]);
}

#[tokio::test]
async fn streams_end_when_the_api_stops() {
    let api = Api::start();
    api.stored(&release("shop-1", "baking"), &["baking"]).await;
    let mut events = Events::open(&api, "shop-1", None).await;
    assert_eq!(events.next().await.unwrap().1, "baking");
    api.stop.send(true).unwrap();
    assert!(events.next().await.is_none());
    tokio::time::timeout(PATIENCE, api.served).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn there_is_a_limit_on_open_streams() {
    let api = Api::start();
    api.stored(&release("shop-1", "baking"), &["baking"]).await;
    let mut open = Vec::new();
    for _ in 0..crate::control_plane::admin::shared::STREAMS_MAX {
        let mut events = Events::open(&api, "shop-1", None).await;
        events.next().await.unwrap();
        open.push(events);
    }
    problem(api.get("/v1/releases/shop-1/events").await, 503, "unavailable").await;
    // The rest of the API still answers.
    assert_eq!(api.get("/v1/services").await.status(), 200);
}
