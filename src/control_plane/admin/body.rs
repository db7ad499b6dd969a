//! A JSON body, read strictly.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::problem::{Kind, Problem};

/// The largest body that is read, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// A JSON object. An empty body stands for `{}`. Unknown and duplicate fields are refused.
#[derive(Debug)]
pub(crate) struct Strict<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !json {
            return Err(Problem::new(
                Kind::WrongMediaType,
                "a body has to be Content-Type: application/json",
            ));
        }
        // serde also takes a list for a struct, field by field. No client means that.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::new(Kind::BadRequest, "the body has to be a JSON object"));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|fault| Problem::new(Kind::BadRequest, format!("the body is not right: {fault}")))
    }
}

/// Reads the whole body, which has at most [`BODY_BYTES_MAX`] bytes (the router sets the limit).
pub(crate) async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status().as_u16() {
        413 => Problem::new(Kind::TooLarge, format!("a body may be at most {BODY_BYTES_MAX} bytes")),
        _ => Problem::new(Kind::BadRequest, "the body could not be read to its end"),
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The body of a command that has nothing to say: none, or `{}`.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
