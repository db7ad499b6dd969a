//! The client of the admin API.
//!
//! The client uses no proxy from the environment and follows no redirect, so that it shows the token only to
//! the address that the person gave. Every change carries a fresh `Idempotency-Key`. If the answer to a
//! change is lost, the client sends the change again under the same key, and the controller makes it only
//! once.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::control_plane::admin::{Answer, Problem};
use crate::control_plane::web::ask;

use super::connection::Connection;
use super::fault::Fault;
use super::sse::EventStream;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time between two reads. An event stream sends a comment every 10 s, so it never waits this
/// long.
const READ_TIMEOUT: Duration = Duration::from_secs(45);
/// The longest time for a whole answer. The slowest answer is the one to a promote, within 30 s.
const TOTAL_TIMEOUT: Duration = Duration::from_mins(1);
/// How many times at most the client sends a change again after a lost answer.
const RESENDS_MAX: u32 = 3;
const RESEND_PAUSE: Duration = Duration::from_millis(300);
/// The largest answer that the client reads, in bytes.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The answer to a change that the controller has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) answer: Answer,
    /// The status was 202 (Accepted): the release goes on after the answer.
    pub(super) accepted: bool,
}

/// The answer to a request for a release's events.
pub(super) enum Events {
    Stream(Box<EventStream>),
    /// The status was 204: the client has received every event, and the release has ended.
    NoMore,
}

/// A connection to the admin API of a running greenlight.
#[derive(Debug)]
pub(super) struct Admin {
    client: Client,
    base: Url,
}

impl Admin {
    /// Builds the client. Fails with [`Fault::Usage`] when the address is no HTTP URL or a file can't be
    /// used.
    pub(super) fn new(connection: &Connection) -> Result<Self, Fault> {
        let base = base(&connection.admin)?;
        let mut builder = ask::client()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .default_headers(headers(connection)?);
        if base.scheme() == "http" {
            // Plain HTTP has no certificate to verify, so the client need not read the system's certificates.
            builder = builder.tls_certs_only([]);
        } else if let Some(ca) = &connection.ca {
            let roots = Certificate::from_pem_bundle(&read(ca, "--ca")?);
            let roots = roots.map_err(|why| usage("--ca", ca, &why))?;
            builder = builder.tls_certs_merge(roots);
        }
        if let Some(path) = &connection.identity {
            let identity = Identity::from_pem(&read(path, "--identity")?);
            builder = builder.identity(identity.map_err(|why| usage("--identity", path, &why))?);
        }
        let client =
            builder.build().map_err(|why| Fault::Internal(format!("no HTTP client: {}", causes(&why))))?;
        Ok(Self { client, base })
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // This is always `Ok`, because the function `base` refuses URLs that can't have a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Sends a GET and parses the answer as JSON. `query` is one name and value, such as `("limit", "20")`.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: Option<(&str, &str)>,
    ) -> Result<T, Fault> {
        let mut url = self.url(segments);
        if let Some((name, value)) = query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let (_, body) = self.answer(self.client.request(Method::GET, url)).await?;
        self.parse(&body)
    }

    /// Sends a GET that accepts HTML, as a browser does, and returns the page.
    pub(super) async fn page(&self, segments: &[&str]) -> Result<String, Fault> {
        let request = self.client.request(Method::GET, self.url(segments)).header(ACCEPT, "text/html");
        let (_, body) = self.answer(request).await?;
        String::from_utf8(body).map_err(|why| self.strange(why.to_string()))
    }

    /// Sends a change. If the answer is lost, the client sends the change again under the same idempotency
    /// key.
    pub(super) async fn change(
        &self,
        method: Method,
        segments: &[&str],
        body: &Value,
    ) -> Result<Change, Fault> {
        let (status, body) = self.send(method, segments, body).await?;
        Ok(Change { answer: self.parse(&body)?, accepted: status == StatusCode::ACCEPTED })
    }

    /// Sends a change with an empty JSON object as its body, and parses an answer of another shape than
    /// [`Answer`].
    pub(super) async fn change_as<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
    ) -> Result<T, Fault> {
        let (_, body) = self.send(method, segments, &Value::Object(serde_json::Map::new())).await?;
        self.parse(&body)
    }

    async fn send(
        &self,
        method: Method,
        segments: &[&str],
        body: &Value,
    ) -> Result<(StatusCode, Vec<u8>), Fault> {
        let key = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let mut sent = 0;
        loop {
            let request = self.client.request(method.clone(), self.url(segments));
            let request = request.header("idempotency-key", &key).json(body);
            match self.answer(request).await {
                Err(Fault::Unreachable { why, .. }) if sent < RESENDS_MAX && !why.starts_with(CONNECT) => {
                    sent += 1;
                    tokio::time::sleep(RESEND_PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    /// Opens the stream of a release's events that have a number greater than `last`, or of all its events.
    pub(super) async fn events(&self, release: &str, last: Option<u64>) -> Result<Events, Fault> {
        let mut request = self.client.request(Method::GET, self.url(&["v1", "releases", release, "events"]));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.map_err(|why| self.unreachable(&why))?;
        match response.status() {
            StatusCode::OK => Ok(Events::Stream(Box::new(EventStream::new(response)))),
            StatusCode::NO_CONTENT => Ok(Events::NoMore),
            _ => Err(self.problem(response).await),
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Fault> {
        let response = request.timeout(TOTAL_TIMEOUT).send().await.map_err(|why| self.unreachable(&why))?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.problem(response).await);
        }
        Ok((status, self.body(response).await?))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|why| self.unreachable(&why))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(self.strange("its answer has no end".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn problem(&self, response: Response) -> Fault {
        let status = response.status();
        let is_problem = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json"));
        if !is_problem {
            return self.strange(format!("status {status}"));
        }
        match self.body(response).await.map(|body| serde_json::from_slice::<Problem>(&body)) {
            Ok(Ok(problem)) => Fault::Problem(Box::new(problem)),
            Ok(Err(why)) => self.strange(why.to_string()),
            Err(fault) => fault,
        }
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Fault> {
        serde_json::from_slice(body).map_err(|why| self.strange(why.to_string()))
    }

    fn unreachable(&self, why: &reqwest::Error) -> Fault {
        let kind = if why.is_connect() { CONNECT } else { "" };
        Fault::Unreachable { admin: self.base.to_string(), why: format!("{kind}{}", causes(why)) }
    }

    fn strange(&self, why: String) -> Fault {
        Fault::Strange { admin: self.base.to_string(), why }
    }
}

/// The beginning of the reason when the client got no connection. In that case it has sent no change whose
/// answer could be lost, so it reports the fault at once and does not try again.
const CONNECT: &str = "no connection: ";

fn base(text: &str) -> Result<Url, Fault> {
    let wrong = || Fault::Usage(format!("--admin {text}: it has to be like http://127.0.0.1:9900"));
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
    if plain && url.query().is_none() && url.fragment().is_none() { Ok(url) } else { Err(wrong()) }
}

fn headers(connection: &Connection) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    if let Some(path) = &connection.token_file {
        let text = String::from_utf8(read(path, "--token-file")?).unwrap_or_default();
        let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim())).map_err(|_| {
            Fault::Usage(format!("--token-file {}: it holds more than a token", path.display()))
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if let Some(actor) = actor() {
        headers.insert("x-greenlight-actor", actor);
    }
    Ok(headers)
}

/// The name of the person who runs the command, for the audit log: the printable ASCII of `USER`, at most 64
/// characters.
fn actor() -> Option<HeaderValue> {
    let user = std::env::var("USER").ok()?;
    let name: String = user.chars().filter(char::is_ascii_graphic).take(64).collect();
    if name.is_empty() { None } else { HeaderValue::try_from(name).ok() }
}

fn read(path: &Path, option: &str) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|why| usage(option, path, &why))
}

fn usage(option: &str, path: &Path, why: &dyn std::fmt::Display) -> Fault {
    Fault::Usage(format!("{option} {}: {why}", path.display()))
}

/// The innermost cause of an error. It says what happened ("connection refused"), while the outer causes only
/// name the layers of the HTTP client.
fn causes(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
