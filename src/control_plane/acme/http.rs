//! Sends requests to the ACME server with reqwest, which sends all other requests of greenlight too.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

use super::AcmeFault;
use crate::control_plane::web::ask;
use crate::tls;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes. A chain of certificates has a few thousand.
const ANSWER_BYTES_MAX: usize = 1 << 20;

type Answered = Result<BytesResponse, Error>;

/// An HTTP client that trusts `ca`, or the authorities of the system if `ca` is `None`.
#[derive(Debug)]
pub(crate) struct Http(reqwest::Client);

impl Http {
    pub(crate) fn new(ca: Option<&Path>) -> Result<Self, AcmeFault> {
        let client = ask::client()
            .tls_backend_preconfigured(tls::client_config(ca)?)
            .http1_only()
            .https_only(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .build()?;
        Ok(Self(client))
    }
}

fn other(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Other(why.into())
}

async fn ask(client: reqwest::Client, request: http::Request<BodyWrapper<Bytes>>) -> Answered {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(other)?.to_bytes();
    let asked = reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(other)?;
    let answer: http::Response<reqwest::Body> = client.execute(asked).await.map_err(other)?.into();
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(other)?.to_bytes();
    Ok(BytesResponse::from(http::Response::from_parts(parts, Full::new(body))))
}

impl HttpClient for Http {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Answered> + Send>> {
        Box::pin(ask(self.0.clone(), request))
    }
}
