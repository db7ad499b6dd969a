//! Every fault as a problem document (RFC 9457). This page says which status means what.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::control_plane::controller::{RefusalCode, Rejection};
use crate::control_plane::store::StoreFault;

/// What went wrong, for a program (`type`, `status`) and for a person (`title`, `detail`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URN that names the kind: `urn:greenlight:problem:conflict`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words; the same each time.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong this time, and what would help.
    pub detail: String,
    /// Why a command was refused, for programs; absent where no command was. A code that the reader does not
    /// know is left out.
    #[serde(default, deserialize_with = "known_code", skip_serializing_if = "Option::is_none")]
    pub code: Option<RefusalCode>,
    /// Each fault of a configuration file that was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// Reads a code, or `None` for a code that this version does not know. A newer greenlight may have codes of
/// its own, and its problem is a problem all the same.
fn known_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RefusalCode>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BadRequest,
    Unauthorized,
    ForeignOrigin,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Stale,
    TooLarge,
    WrongMediaType,
    KeyReused,
    BadConfiguration,
    Unavailable,
}

impl Kind {
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request makes no sense"),
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "The token is missing or is not the right one")
            }
            Self::ForeignOrigin => {
                (StatusCode::FORBIDDEN, "foreign-origin", "The Host or Origin is not this machine's")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The path does not take this method")
            }
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "Not possible in this state"),
            Self::Stale => (StatusCode::PRECONDITION_FAILED, "stale", "The service has changed since"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::WrongMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-media-type", "The body is not JSON")
            }
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request",
            ),
            Self::BadConfiguration => {
                (StatusCode::UNPROCESSABLE_ENTITY, "bad-configuration", "The configuration file has faults")
            }
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "It can't be done at the moment")
            }
        }
    }
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, slug, title) = kind.parts();
        Self {
            kind: format!("urn:greenlight:problem:{slug}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: None,
            faults: Vec::new(),
        }
    }

    pub(crate) fn with_code(mut self, code: RefusalCode) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn with_faults(mut self, faults: Vec<String>) -> Self {
        self.faults = faults;
        self
    }

    fn extra_header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.status {
            401 => Some((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"greenlight admin\""),
            )),
            503 => Some((header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let kind = match &rejection {
            Rejection::UnknownService(_) | Rejection::UnknownRelease(_) => Kind::NotFound,
            Rejection::Conflict { .. } => Kind::Conflict,
            Rejection::Stale(_) => Kind::Stale,
            Rejection::Invalid(_) => Kind::BadRequest,
            Rejection::Unavailable { .. } => Kind::Unavailable,
        };
        Self::new(kind, rejection.to_string()).with_code(rejection.code())
    }
}

impl From<StoreFault> for Problem {
    fn from(fault: StoreFault) -> Self {
        tracing::warn!(%fault, "the admin API could not read the store");
        Self::new(Kind::Unavailable, fault.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some((name, value)) = self.extra_header() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The answer to a path that does not exist.
pub(crate) async fn not_found(uri: axum::http::Uri) -> Problem {
    Problem::new(Kind::NotFound, format!("nothing is at {}: see /openapi.json", uri.path()))
}

/// The answer to a method that a path does not take. The router adds `Allow`.
pub(crate) async fn method_not_allowed(method: axum::http::Method, uri: axum::http::Uri) -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        format!("{} does not take {method}: see the Allow header, or /openapi.json", uri.path()),
    )
}
