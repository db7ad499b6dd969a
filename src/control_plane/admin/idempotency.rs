//! `Idempotency-Key`: a change that is asked for twice is made once.
//!
//! A task of its own carries out the first request with a key. So the request ends and its answer is kept
//! even when the client hangs up, which is just when the client asks again. Later requests with the key
//! wait for the first one and get the same answer. A key belongs to its client, method and path. The same
//! key with another body or condition is a 422. Answers of 5xx are not kept, because asking again is then
//! the right thing to do.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use crate::clock;
use crate::tasks;

use super::body;
use super::caller::Identity;
use super::memory::{KeyMeaning, Stored};
use super::problem::{Kind, Problem};
use super::shared::Shared;

pub(crate) const KEY_HEADER: &str = "idempotency-key";
const KEY_CHARS_MAX: usize = 255;
/// The largest answer that is kept, in bytes. An answer to a change has a few hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The layer that reads the body of every request that may change something, and lets each key be carried
/// out once.
pub(crate) async fn once(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    match prepare(&shared, request).await {
        Ok((request, None)) => next.run(request).await,
        Ok((request, Some((key, fingerprint)))) => keyed(shared, request, next, key, fingerprint).await,
        Err(problem) => problem.into_response(),
    }
}

type Keyed = Option<(String, u64)>;

async fn prepare(shared: &Shared, request: Request) -> Result<(Request, Keyed), Problem> {
    let (parts, body) = request.into_parts();
    // This copy has no body. The extractor reads the body limit from its extensions.
    let mut reading = Request::new(body);
    *reading.headers_mut() = parts.headers.clone();
    *reading.extensions_mut() = parts.extensions.clone();
    let bytes = body::read(reading, &()).await?;
    let keyed = match key(&parts.headers)? {
        None => None,
        Some(key) => {
            let scope = parts.extensions.get::<Identity>().map(Identity::scope).unwrap_or_default();
            let condition = parts.headers.get(header::IF_MATCH).map(HeaderValue::as_bytes);
            let fingerprint = shared.memory.fingerprint((condition, &bytes[..]));
            Some((format!("{scope}\n{} {}\n{key}", parts.method, parts.uri.path()), fingerprint))
        }
    };
    Ok((Request::from_parts(parts, Body::from(bytes)), keyed))
}

/// The key as it was sent. It is visible ASCII, in quotes (as a structured field) or not.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(KEY_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().map(str::trim).filter(|text| {
        (1..=KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match (text, values.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => Err(Problem::new(
            Kind::BadRequest,
            format!("Idempotency-Key has to be one text of 1 to {KEY_CHARS_MAX} visible ASCII characters"),
        )),
    }
}

async fn keyed(shared: Shared, request: Request, next: Next, key: String, fingerprint: u64) -> Response {
    let (mut slot, first) = match shared.memory.meaning(&key, fingerprint, clock::now()) {
        KeyMeaning::First(sender, slot) => {
            // No one awaits the handle of this task, because the task has to outlive a client that hangs
            // up. At most KEYS_MAX of these tasks run. Each ends when the controller loop answers or stops.
            tasks::spawn("admin change", carry_out(shared, request, next, key, sender));
            (slot, true)
        }
        KeyMeaning::Again(slot) => (slot, false),
        KeyMeaning::Reused => {
            return Problem::new(
                Kind::KeyReused,
                "this Idempotency-Key was sent with another body or If-Match: use a new key for a new change",
            )
            .into_response();
        }
        KeyMeaning::Full => {
            return Problem::new(Kind::Unavailable, "too many changes are waiting for their answer")
                .into_response();
        }
    };
    let answer = slot.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
    match answer {
        Some(stored) => stored.response(!first),
        // The first request ended without an answer, because it panicked or the process is stopping.
        None => Problem::new(Kind::Unavailable, "the change gave no answer: look at `greenlight status`")
            .into_response(),
    }
}

async fn carry_out(
    shared: Shared,
    request: Request,
    next: Next,
    key: String,
    sender: watch::Sender<Option<Arc<Stored>>>,
) {
    let unkept = Forget { shared, key: Some(key) };
    let (parts, body) = next.run(request).await.into_parts();
    let body = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
    if !parts.status.is_server_error() {
        unkept.keep();
    }
    sender.send_replace(Some(Arc::new(Stored { status: parts.status, headers: parts.headers, body })));
}

/// Forgets the key when it is dropped, so that a request that panics does not hold it for a day.
struct Forget {
    shared: Shared,
    key: Option<String>,
}

impl Forget {
    fn keep(mut self) {
        self.key = None;
    }
}

impl Drop for Forget {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.shared.memory.forget(&key);
        }
    }
}
