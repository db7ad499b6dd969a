//! A hook of a release that answers when a test wants it to, and what the test wants.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Pass,
    /// None until it is another one.
    Hold,
    Refuse,
}

/// Ends with this value.
#[derive(Debug)]
pub(crate) struct Gatekeeper {
    pub url: String,
    answer: watch::Sender<Answer>,
    /// Calls that came since the answer was set.
    calls: watch::Sender<usize>,
    server: JoinHandle<()>,
}

type Shared = (watch::Sender<Answer>, watch::Sender<usize>);

impl Gatekeeper {
    pub(crate) async fn start() -> Self {
        let (answer, calls) = (watch::Sender::new(Answer::Pass), watch::Sender::new(0));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/gate", listener.local_addr().unwrap());
        let router = Router::new().route("/gate", post(ask)).with_state((answer.clone(), calls.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, answer, calls, server }
    }

    pub(crate) fn set(&self, answer: Answer) {
        self.calls.send_replace(0);
        self.answer.send_replace(answer);
    }

    /// Until it was called under the present answer.
    pub(crate) async fn until_called(&self, limit: std::time::Duration) {
        let mut calls = self.calls.subscribe();
        let waited = tokio::time::timeout(limit, calls.wait_for(|calls| *calls > 0)).await;
        waited.expect("the hook is called").unwrap();
    }
}

async fn ask(State((answer, calls)): State<Shared>) -> StatusCode {
    calls.send_modify(|calls| *calls += 1);
    let mut answer = answer.subscribe();
    let given = answer.wait_for(|answer| *answer != Answer::Hold).await;
    match given.map(|given| *given) {
        Ok(Answer::Pass) => StatusCode::NO_CONTENT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Drop for Gatekeeper {
    fn drop(&mut self) {
        self.server.abort();
    }
}
