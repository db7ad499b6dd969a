//! A stand-in for Slack's incoming webhooks. It keeps all messages.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

type Messages = Arc<(Mutex<Vec<Value>>, watch::Sender<()>)>;

/// The server. It ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct Slack {
    pub address: SocketAddr,
    told: Messages,
    server: JoinHandle<()>,
}

impl Slack {
    pub(crate) async fn start() -> Self {
        let told: Messages = Arc::new((Mutex::default(), watch::Sender::new(())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/services/T0/B0/token", post(take)).with_state(Arc::clone(&told));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, told, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/services/T0/B0/token", self.address)
    }

    /// The `text` of each message, in the order in which they came.
    pub(crate) fn texts(&self) -> Vec<String> {
        let messages = self.told.0.lock().unwrap();
        messages.iter().map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits for a message that holds all of these words in any of its parts, and returns it as JSON. Panics
    /// after `limit`.
    pub(crate) async fn until(&self, words: &[&str], limit: Duration) -> String {
        let mut changes = self.told.1.subscribe();
        let found = async {
            loop {
                changes.borrow_and_update();
                if let Some(message) = self.find(words) {
                    return message;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(limit, found)
            .await
            .unwrap_or_else(|_| panic!("Slack was not told of {words:?}, but: {:#?}", self.texts()))
    }

    fn find(&self, words: &[&str]) -> Option<String> {
        let messages = self.told.0.lock().unwrap();
        messages.iter().map(Value::to_string).find(|message| words.iter().all(|word| message.contains(word)))
    }
}

async fn take(State(told): State<Messages>, body: String) -> &'static str {
    let message = serde_json::from_str(&body).expect("Slack takes JSON");
    told.0.lock().unwrap().push(message);
    told.1.send_replace(());
    "ok"
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.server.abort();
    }
}
