//! Tests of the wait against an API over real connections that break off and come back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::cli::client::Admin;
use crate::cli::connection::Connection;
use crate::cli::fault::Fault;
use crate::cli::follow::{End, follow};
use crate::cli::output::Format;
use crate::release::StateName;

/// How long the follower waits for an API without answer. No outage in these tests lasts so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The next answers to requests for events, the last one first. With `None` the API never answers.
type Script = Arc<Mutex<Vec<Option<Response>>>>;

#[derive(Clone)]
struct Fake {
    script: Script,
    /// The `Last-Event-ID` of each request for events.
    asked: Arc<Mutex<Vec<Option<String>>>>,
    state: Arc<Mutex<&'static str>>,
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    if request.uri().path().ends_with("/events") {
        let last = request.headers().get("last-event-id").map(|value| value.to_str().unwrap().to_owned());
        fake.asked.lock().unwrap().push(last);
        let next = { fake.script.lock().unwrap().pop() };
        return match next {
            Some(Some(response)) => response,
            _ => std::future::pending().await,
        };
    }
    let release = json!({
        "id": "shop-7", "service": "shop", "kind": "deploy", "version": "v2", "color": "green",
        "state": *fake.state.lock().unwrap(), "reason": "r", "started_at": "t", "promoted_at": null,
        "finished_at": null, "verdict": null, "numbers": {}
    });
    axum::Json(release).into_response()
}

fn events(words: &[(u64, &str)]) -> Response {
    let blocks = words.iter().map(|(seq, word)| {
        let data = json!({
            "seq": seq, "release": "shop-7", "service": "shop", "event": word,
            "time": "2026-11-24T14:02:11.000Z", "reason": "r", "numbers": {}
        });
        format!("id: {seq}\nevent: {word}\ndata: {data}\n\n")
    });
    let text = blocks.collect::<Vec<_>>().concat();
    ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response()
}

fn problem(status: StatusCode) -> Response {
    let body = json!({"type": "t", "title": "t", "status": status.as_u16(), "detail": "no such release"});
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

async fn fake(state: &'static str, script: Vec<Option<Response>>) -> (Fake, Admin) {
    let script = Arc::new(Mutex::new(script.into_iter().rev().collect()));
    let fake = Fake { script, asked: Arc::default(), state: Arc::new(Mutex::new(state)) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(fake.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (fake, admin(address))
}

fn admin(address: SocketAddr) -> Admin {
    let connection =
        Connection { admin: format!("http://{address}"), token_file: None, ca: None, identity: None };
    Admin::new(&connection).unwrap()
}

#[tokio::test]
async fn the_wait_resumes_after_the_last_event_of_a_broken_stream() {
    let script = vec![
        Some(events(&[(4, "checking"), (5, "promoting")])),
        Some(problem(StatusCode::SERVICE_UNAVAILABLE)),
        Some(events(&[(6, "baking")])),
        Some(events(&[(9, "succeeded")])),
    ];
    let (fake, admin) = fake("baking", script).await;
    let following = tokio::spawn(async move { follow(&admin, "shop-7", None, PATIENCE, Format::Text).await });
    // The record changes a moment after the event, as it does when the store is slow.
    while fake.asked.lock().unwrap().len() < 4 {
        tokio::task::yield_now().await;
    }
    *fake.state.lock().unwrap() = "succeeded";
    let End::Ended(release) = following.await.unwrap().unwrap() else { panic!("it ends") };
    assert_eq!(release.state, StateName::Succeeded);
    let asked: Vec<Option<String>> = fake.asked.lock().unwrap().clone();
    let expected = [None, Some("5"), Some("5"), Some("6")].map(|last| last.map(str::to_owned));
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn degraded_ends_the_wait() {
    let (_fake, admin) = fake("degraded", vec![Some(events(&[(4, "baking"), (5, "degraded")]))]).await;
    let End::Ended(release) = follow(&admin, "shop-7", None, PATIENCE, Format::Text).await.unwrap() else {
        panic!("it ends")
    };
    assert_eq!(release.state, StateName::Degraded);
}

#[tokio::test]
async fn a_stream_without_more_events_ends_the_wait() {
    let no_more = Some(StatusCode::NO_CONTENT.into_response());
    let (_fake, admin) = fake("failed", vec![no_more]).await;
    let End::Ended(release) = follow(&admin, "shop-7", None, PATIENCE, Format::Text).await.unwrap() else {
        panic!("it ends")
    };
    assert_eq!(release.state, StateName::Failed);
}

#[tokio::test]
async fn an_unknown_release_ends_the_wait_with_the_problem() {
    let (_fake, admin) = fake("failed", vec![Some(problem(StatusCode::NOT_FOUND))]).await;
    let fault = follow(&admin, "shop-7", None, PATIENCE, Format::Text).await.unwrap_err();
    assert!(matches!(fault, Fault::Problem(problem) if problem.status == 404));
}

#[tokio::test]
async fn the_timeout_ends_the_wait() {
    let (_fake, admin) = fake("checking", vec![None]).await;
    let end =
        follow(&admin, "shop-7", Some(Duration::from_millis(200)), PATIENCE, Format::Text).await.unwrap();
    let End::TimedOut(Some(release)) = end else { panic!("it times out: {end:?}") };
    assert_eq!(release.state, StateName::Checking);
}

#[tokio::test]
async fn an_api_without_answer_for_too_long_is_a_fault() {
    // The listener is dropped at once, so no process listens on its port.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let short = Duration::from_millis(700);
    let fault = follow(&admin(address), "shop-7", None, short, Format::Text).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault}");
}
