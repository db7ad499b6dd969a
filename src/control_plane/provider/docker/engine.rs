//! One engine. It is connected when it is first asked, with an API version that both sides speak.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use tokio::sync::Mutex;

use crate::config;

use super::DockerFault;
use super::fault::Doing;
use super::said::fault;

/// How long an answer may take. A pull's stream may go on for longer.
const ANSWER_MAX: Duration = Duration::from_mins(2);
/// How long the first answer of an engine may take.
const HELLO_MAX: Duration = Duration::from_secs(10);

/// An engine of `[services.NAME.upstream] engines`. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Arc<config::Engine>,
    client: Arc<Mutex<Option<Docker>>>,
}

impl Engine {
    /// Creates an engine without connecting to it and without reading a file.
    #[must_use]
    pub fn new(config: config::Engine) -> Self {
        Self { config: Arc::new(config), client: Arc::default() }
    }

    /// Its URL, which is also its name in texts.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.url
    }

    /// The connected client.
    ///
    /// # Errors
    /// [`DockerFault::Away`] if the engine does not answer within 10 s, `Refused` if the TLS files can't be
    /// used.
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
    /// The engine's error, in words. After [`DockerFault::Away`] the next call connects anew.
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

    /// The address at which the ports of the engine's own host are reached. It is loopback, except for an
    /// engine on the network.
    ///
    /// # Errors
    /// The host name has no address at the moment.
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

    /// Waits for an answer about one container, for this long at most.
    ///
    /// # Errors
    /// [`DockerFault::Stuck`] if there is no answer in time.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        container: &str,
        call: &str,
        answer: impl Future<Output = Result<T, DockerFault>>,
    ) -> Result<T, DockerFault> {
        tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
            Err(DockerFault::Stuck {
                engine: self.name().to_owned(),
                container: container.to_owned(),
                why: format!("no answer to {call} within {} s", limit.as_secs()),
            })
        })
    }

    pub(crate) fn away(&self, why: &str) -> DockerFault {
        DockerFault::Away { engine: self.name().to_owned(), why: why.to_owned() }
    }
}

/// Rewrites the credentials as base64url. Engines read `X-Registry-Auth` in this form (RFC 4648 section 5),
/// but the client library writes plain base64. An engine that can't read the header pulls anonymously,
/// without an error.
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
