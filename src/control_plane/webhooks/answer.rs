//! The answers: 202 with counts, and problem documents (RFC 9457) for everything else.

use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a message was not accepted, as its sender sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is no such webhook, or not with this token or signature. All of these get the same answer.
    Unknown,
    NotPost,
    TooLarge,
    Slow,
    TooOften,
    /// It is signed, but its time is too far from greenlight's clock.
    Stale,
    /// It is signed, but was accepted before.
    Replayed,
    Malformed,
    Forbidden,
    /// Too many messages wait. The sender should send it again.
    Busy,
}

impl Problem {
    const fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::Unknown => {
                (StatusCode::NOT_FOUND, "there is no such webhook, or not with this token or signature")
            }
            Self::NotPost => (StatusCode::METHOD_NOT_ALLOWED, "a webhook takes POST"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "a message has 256 KiB at most"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "the message did not arrive within 10 s"),
            Self::TooOften => (StatusCode::TOO_MANY_REQUESTS, "this webhook is called too often"),
            Self::Stale => {
                (StatusCode::UNAUTHORIZED, "X-Greenlight-Timestamp is more than 5 min from our clock")
            }
            Self::Replayed => (StatusCode::CONFLICT, "this signed message was taken before"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "the message is not as this sender's are"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "what was pushed is not allowed for this webhook"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "too many messages wait: send it again"),
        }
    }

    /// The word that counts it in the metrics.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unknown | Self::NotPost | Self::Stale | Self::Replayed | Self::Forbidden => "refused",
            Self::TooLarge | Self::Slow | Self::Malformed => "malformed",
            Self::TooOften | Self::Busy => "limited",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        self.parts().1
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title) = self.parts();
        let body = json!({ "type": "about:blank", "status": status.as_u16(), "title": title }).to_string();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::TooOften | Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::NotPost => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
            }
            _ => {}
        }
        response
    }
}

/// The answer 202. The work is done after it.
pub(crate) fn accepted(accepted: usize, ignored: usize) -> Response {
    let body = json!({ "accepted": accepted, "ignored": ignored });
    (StatusCode::ACCEPTED, axum::Json(body)).into_response()
}
