//! One engine: connected when it is first asked, with the API version that both sides speak.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use tokio::sync::Mutex;

use crate::config;

use super::DockerFault;
use super::fault::{Doing, fault};

/// How long an answer is waited for; a pull's stream may go on for longer.
const ANSWER_MAX: Duration = Duration::from_mins(2);
/// How long the first answer of an engine is waited for.
const HELLO_MAX: Duration = Duration::from_secs(10);

/// An engine of `[services.NAME.upstream] engines`. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Arc<config::Engine>,
    client: Arc<Mutex<Option<Docker>>>,
}

impl Engine {
    /// Nothing is connected yet, and nothing is asked of the file system.
    #[must_use]
    pub fn new(config: config::Engine) -> Self {
        Self { config: Arc::new(config), client: Arc::default() }
    }

    /// Its URL: what it is called in words.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.url
    }

    /// The connected client.
    ///
    /// # Errors
    /// [`DockerFault::Away`] while nobody answers within 10 s, `Refused` for TLS files that are no good.
    pub(crate) async fn client(&self) -> Result<Docker, DockerFault> {
        let mut client = self.client.lock().await;
        if let Some(client) = client.as_ref() {
            return Ok(client.clone());
        }
        let hello = async { self.connect()?.negotiate_version().await };
        let connected = match tokio::time::timeout(HELLO_MAX, hello).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return Err(self.fault(Doing::Other("connecting"), &error)),
            Err(_) => {
                let why = format!("no answer within {} s", HELLO_MAX.as_secs());
                return Err(DockerFault::Away { engine: self.name().to_owned(), why });
            }
        };
        tracing::debug!(engine = self.name(), version = %connected.client_version(), "connected");
        Ok(client.insert(connected).clone())
    }

    fn connect(&self) -> Result<Docker, Error> {
        let (url, seconds) = (self.config.url.as_str(), ANSWER_MAX.as_secs());
        let version = bollard::API_DEFAULT_VERSION;
        let client = match (&self.config.tls, url.strip_prefix("unix://")) {
            (Some(tls), _) => Docker::connect_with_ssl(url, &tls.key, &tls.cert, &tls.ca, seconds, version)?,
            (None, Some(_)) => Docker::connect_with_unix(url, seconds, version)?,
            (None, None) => Docker::connect_with_http(url, seconds, version)?,
        };
        Ok(client.with_request_modifier(url_safe_credentials))
    }

    /// Asks the engine once.
    ///
    /// # Errors
    /// What the engine said, in words; after [`DockerFault::Away`] the next call connects anew.
    pub(crate) async fn ask<T>(
        &self,
        doing: Doing<'_>,
        question: impl AsyncFnOnce(&Docker) -> Result<T, Error>,
    ) -> Result<T, DockerFault> {
        let client = self.client().await?;
        let answer = question(&client).await.map_err(|error| self.fault(doing, &error));
        if let Err(DockerFault::Away { .. }) = answer {
            self.client.lock().await.take();
        }
        answer
    }

    pub(crate) fn fault(&self, doing: Doing<'_>, error: &Error) -> DockerFault {
        fault(self.name(), doing, error)
    }

    /// Where ports of the engine's own host are reached: loopback, but for an engine on the network.
    ///
    /// # Errors
    /// A host name that has no address now.
    pub(crate) async fn host(&self) -> Result<IpAddr, DockerFault> {
        const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        let Some(address) = self.config.url.strip_prefix("tcp://") else { return Ok(HERE) };
        let address = address.trim_end_matches('/');
        let found = tokio::time::timeout(HELLO_MAX, tokio::net::lookup_host(address)).await;
        let mut found = found
            .map_err(|_| "no answer of the resolver".to_owned())
            .and_then(|found| found.map(Iterator::collect::<Vec<_>>).map_err(|why| why.to_string()));
        if let Ok(found) = &mut found {
            found.sort_by_key(std::net::SocketAddr::is_ipv6);
        }
        match found.map(|found| found.first().copied()) {
            Ok(Some(address)) => Ok(address.ip()),
            Ok(None) => Err(self.away("its host has no address")),
            Err(why) => Err(self.away(&why)),
        }
    }

    pub(crate) fn away(&self, why: &str) -> DockerFault {
        DockerFault::Away { engine: self.name().to_owned(), why: why.to_owned() }
    }
}

/// Engines read `X-Registry-Auth` as base64url (RFC 4648 section 5); the client library writes plain
/// base64, and an engine that can't read it pulls as nobody, without a word.
fn url_safe_credentials(mut request: bollard::BollardRequest) -> bollard::BollardRequest {
    if let Some(value) = request.headers_mut().get_mut("x-registry-auth") {
        let text = value.to_str().map(|text| text.replace('+', "-").replace('/', "_"));
        if let Some(mut safe) = text.ok().and_then(|text| http::HeaderValue::try_from(text).ok()) {
            safe.set_sensitive(true);
            *value = safe;
        }
    }
    request
}
