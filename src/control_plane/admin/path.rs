//! Path and query parameters. A fault in them becomes a problem document.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::problem::{Kind, Problem};

/// The parameters of a path, percent-decoded. Bytes that are not UTF-8 lead to a 400.
#[derive(Debug)]
pub(crate) struct PathOf<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::new(Kind::BadRequest, rejection.body_text())),
        }
    }
}

/// How many entries of a list are wanted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Limit {
    /// At most so many entries, the newest.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    #[serde(default = "Limit::default_limit")]
    pub(crate) limit: u32,
}

impl Limit {
    const MAX: u32 = 1000;

    const fn default_limit() -> u32 {
        50
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Limit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong =
            || Problem::new(Kind::BadRequest, format!("limit has to be a whole number, 1 to {}", Self::MAX));
        let Query(limit) = Query::<Self>::from_request_parts(parts, state).await.map_err(|_| wrong())?;
        if (1..=Self::MAX).contains(&limit.limit) { Ok(limit) } else { Err(wrong()) }
    }
}
