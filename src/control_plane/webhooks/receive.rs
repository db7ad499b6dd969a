//! Receives one message. It checks who sends it, how often, what it says, and whether that is allowed.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use http_body_util::BodyExt;

use crate::clock;
use crate::config::WebhookKind;
use crate::release::Delivery;

use super::answer::{Problem, accepted};
use super::book::Entry;
use super::credential::{Signing, TokenHash};
use super::intake::Arrival;
use super::payload;
use super::replay::in_window;
use super::shared::Shared;

pub(crate) const BODY_BYTES_MAX: usize = 256 * 1024;
/// The longest id of a delivery that is kept.
const DELIVERY_BYTES_MAX: usize = 128;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many bytes of a refused message are read, and for how long. This lets its sender read the answer.
const DISCARD_BYTES_MAX: usize = 4 * 1024 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// The address of the client that the connection belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller(pub(crate) IpAddr);

/// Handles `/hooks/{name}/{token}`.
pub(crate) async fn with_token(
    State(shared): State<Arc<Shared>>,
    Path((name, token)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    receive(&shared, &name, Some(token), request).await
}

/// Handles `/hooks/{name}`.
pub(crate) async fn without_token(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Response {
    receive(&shared, &name, None, request).await
}

/// Handles any other path.
pub(crate) async fn elsewhere() -> Response {
    Problem::Unknown.into_response()
}

async fn receive(shared: &Shared, name: &str, token: Option<String>, request: Request<Body>) -> Response {
    let client = request.extensions().get::<Caller>().map_or(IpAddr::from([0, 0, 0, 0]), |caller| caller.0);
    let hook = shared.book.load().find(name);
    match judge(shared, hook.as_deref(), token, request, client).await {
        Ok(response) => response,
        Err((problem, why)) => {
            let known = hook.as_ref().map(|hook| (hook.name.as_str(), hook.service.as_str()));
            shared.watch.count(known.map_or("unknown", |(name, _)| name), problem.word());
            shared.watch.refused(known, client, why.as_deref().unwrap_or(problem.title()));
            problem.into_response()
        }
    }
}

type Refused = (Problem, Option<String>);

async fn judge(
    shared: &Shared,
    hook: Option<&Entry>,
    token: Option<String>,
    request: Request<Body>,
    client: IpAddr,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err((Problem::NotPost, None));
    }
    let shown = token.or_else(|| bearer(&parts.headers));
    // The same work is done whether or not there is such a webhook.
    let by_token = hook.map_or(shown.is_some(), |hook| hook.token.is_some() || shown.is_some());
    if by_token {
        let expected = hook.and_then(|hook| hook.token.as_ref()).unwrap_or(&TokenHash::DECOY);
        if !expected.is(shown.as_deref().unwrap_or_default()) {
            return Err((Problem::Unknown, Some("wrong name or token".to_owned())));
        }
    }
    let body = read(&parts.headers, body).await?;
    let signing = hook.map_or(Some(&shared.decoy), |hook| hook.signing.as_ref());
    let kind = hook.map_or(WebhookKind::Generic, |hook| hook.kind);
    let signed = match signing {
        Some(signing) => Some(signature(signing, kind, &parts.headers, &body)?),
        None => None,
    };
    let Some(hook) = hook else { return Err((Problem::Unknown, None)) };
    if !hook.memory.rate.lock().unwrap_or_else(PoisonError::into_inner).take(clock::now()) {
        return Err((Problem::TooOften, None));
    }
    if let Some(Some((signature, at))) = signed {
        let now = clock::unix_seconds();
        if !in_window(at, now) {
            return Err((Problem::Stale, Some(format!("signed {} s away from our clock", at.abs_diff(now)))));
        }
        // Only a message that is taken is remembered, so that one that was refused can be sent again. The lock
        // is held until then, so that the same message can't be taken twice at the same time.
        let mut replay = hook.memory.replay.lock().unwrap_or_else(PoisonError::into_inner);
        if replay.knows(&signature, now) {
            return Err((Problem::Replayed, None));
        }
        let taken = take(shared, hook, &parts.headers, &body, client)?;
        replay.remember(signature, at);
        return Ok(taken);
    }
    take(shared, hook, &parts.headers, &body, client)
}

/// What tells this delivery from another. GitHub and Bitbucket send an id, which a redelivery has too.
fn delivery(headers: &HeaderMap, body: &[u8]) -> Delivery {
    let ids = ["x-github-delivery", "x-request-uuid", "x-greenlight-delivery"];
    let id = ids.iter().find_map(|name| headers.get(*name)?.to_str().ok());
    if let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= DELIVERY_BYTES_MAX) {
        return Delivery::Id(id.to_owned());
    }
    let hash = ring::digest::digest(&ring::digest::SHA256, body);
    let short = hash.as_ref().iter().take(16);
    Delivery::Body(short.fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

/// Checks the signature. Returns its bytes and its time, or `None` for kinds that sign the body alone.
fn signature(
    signing: &Signing,
    kind: WebhookKind,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<([u8; 32], u64)>, Refused> {
    let field = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wrong = || (Problem::Unknown, Some("wrong signature".to_owned()));
    let holds = match kind {
        WebhookKind::Github if headers.contains_key("x-hub-signature-256") => {
            signing.signed_sha256(field("x-hub-signature-256"), body)
        }
        WebhookKind::Github => signing.signed_sha1(field("x-hub-signature"), body),
        WebhookKind::Bitbucket => signing.signed_sha256(field("x-hub-signature"), body),
        WebhookKind::Generic | WebhookKind::Registry | WebhookKind::Dockerhub => {
            let timestamp = field("x-greenlight-timestamp");
            let signature = signing.signed_at(timestamp, field("x-greenlight-signature"), body);
            let signature = signature.ok_or_else(wrong)?;
            let at = timestamp.parse().map_err(|_| wrong())?;
            return Ok(Some((signature, at)));
        }
    };
    if holds { Ok(None) } else { Err(wrong()) }
}

/// The token of `Authorization: Bearer TOKEN`. It is for senders that can set a header, so that no URL
/// holds the token.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let field = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

async fn read(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Refused> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let gathered = if length.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        Err(Problem::TooLarge)
    } else {
        tokio::time::timeout(BODY_TIMEOUT, gather(&mut body)).await.unwrap_or(Err(Problem::Slow))
    };
    match gathered {
        Ok(taken) => Ok(taken),
        Err(Problem::TooLarge) => {
            discard(&mut body).await;
            Err((Problem::TooLarge, None))
        }
        Err(Problem::Malformed) => Err((Problem::Malformed, Some("its body broke off".to_owned()))),
        Err(problem) => Err((problem, None)),
    }
}

/// The whole body, or the problem that it is larger than a message may be, or broke off.
async fn gather(body: &mut Body) -> Result<Bytes, Problem> {
    let mut taken = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Problem::Malformed)?.into_data() else { continue };
        if taken.len() + data.len() > BODY_BYTES_MAX {
            return Err(Problem::TooLarge);
        }
        taken.extend_from_slice(&data);
    }
    Ok(taken.freeze())
}

/// Reads on for a moment. If a connection closes while its sender still writes, the sender may never see
/// its answer (RFC 9112 section 9.6).
async fn discard(body: &mut Body) {
    let reading = async {
        let mut left = DISCARD_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else { return };
            left = rest;
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, reading).await;
}

/// Reads the message and hands over the pushes that are allowed.
fn take(
    shared: &Shared,
    hook: &Entry,
    headers: &HeaderMap,
    body: &[u8],
    client: IpAddr,
) -> Result<Response, Refused> {
    let delivery = delivery(headers, body);
    let form = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(payload::is_form);
    let json = if form { payload::from_form(body) } else { Ok(Cow::Borrowed(body)) };
    let pushes = json
        .and_then(|json| payload::read(hook.kind, &json))
        .map_err(|why| (Problem::Malformed, Some(why.to_string())))?;
    let (mut arrivals, mut ignored) = (Vec::new(), None);
    let many = pushes.len();
    for push in pushes {
        let subject = push.subject();
        let image = match hook.allowed.reference(&push) {
            Ok(image) => image,
            Err(why) => {
                ignored = Some(format!("{subject}: {why}"));
                continue;
            }
        };
        let version = if image.is_none() { push.label() } else { None };
        if image.is_none() && version.is_none() {
            ignored = Some(format!("{subject}: it can't be a version's label"));
            continue;
        }
        let (webhook, service) = (hook.name.clone(), hook.service.clone());
        // A sender's clock may be ahead. Then no later push could count as newer, so the time is limited to
        // the present.
        let at = push.at.map(|at| at.min(clock::unix_seconds()));
        let digest = push.digest.clone();
        let delivery = Some(delivery.clone());
        arrivals.push(Arrival { webhook, service, subject, image, version, digest, at, delivery, client });
    }
    if arrivals.is_empty()
        && let Some(why) = &ignored
        && hook.kind != WebhookKind::Registry
    {
        return Err((Problem::Forbidden, Some(why.clone())));
    }
    // A registry sends messages about all of its repositories. Most of them do not concern this webhook.
    if let Some(why) = ignored {
        shared.watch.refused(Some((&hook.name, &hook.service)), client, &why);
    }
    let count = arrivals.len();
    if !shared.intake.take(arrivals) {
        return Err((Problem::Busy, None));
    }
    shared.watch.count(&hook.name, if count > 0 { "accepted" } else { "ignored" });
    Ok(accepted(count, many - count))
}
