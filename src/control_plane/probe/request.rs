//! The request to an endpoint, written once and not at each probe.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, header};
use rustls_pki_types::ServerName;

use crate::health::Speech;
use crate::model::OriginTls;
use crate::tls::{Origins, Trust};

const USER_AGENT: &str = concat!("greenlight-probe/", env!("CARGO_PKG_VERSION"));

/// A request in the protocol of the endpoint.
#[derive(Debug)]
pub(crate) enum ProbeRequest {
    Http1(Vec<u8>),
    // Boxed, since there are many plain probes, which should stay small.
    Http2(Box<Request<()>>),
    Tls(Box<Secured>),
    /// The reason why the configured request can't be sent. Each probe with it fails.
    Unusable(String),
}

/// A request over TLS, in both protocols. ALPN decides which of the two is sent.
#[derive(Debug)]
pub(crate) struct Secured {
    pub trust: Arc<Trust>,
    pub name: ServerName<'static>,
    pub http1: Vec<u8>,
    pub http2: Request<()>,
}

impl ProbeRequest {
    /// Makes a GET of `path` with `host` as the host name. An empty `host` stands for the
    /// endpoint's own address.
    pub(crate) fn new(
        speech: &Speech,
        address: SocketAddr,
        (path, host): (&str, &str),
        origins: &Origins,
    ) -> Self {
        let own;
        let host = if host.is_empty() {
            own = address.to_string();
            &own
        } else {
            host
        };
        let asked = match speech {
            Speech::Http1 => Ok(Self::Http1(http1(path, host))),
            Speech::H2c => http2("http", path, host).map(|request| Self::Http2(Box::new(request))),
            Speech::Tls(tls) => {
                Secured::new(tls, (path, host), origins).map(|secured| Self::Tls(Box::new(secured)))
            }
        };
        asked.unwrap_or_else(Self::Unusable)
    }
}

impl Secured {
    fn new(tls: &OriginTls, (path, host): (&str, &str), origins: &Origins) -> Result<Self, String> {
        let name = ServerName::try_from(tls.server_name.clone()).map_err(|why| why.to_string())?;
        let trust = origins.trust(&tls.ca).map_err(|why| why.to_string())?;
        Ok(Self { trust, name, http1: http1(path, host), http2: http2("https", path, host)? })
    }
}

fn http1(path: &str, host: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

/// Makes the request for HTTP/2. The host becomes `:authority` (RFC 9113 section 8.3.1).
fn http2(scheme: &str, path: &str, host: &str) -> Result<Request<()>, String> {
    Request::get(format!("{scheme}://{host}{path}"))
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "*/*")
        .body(())
        .map_err(|why| format!("{path:?} of {host:?} can't be asked for in HTTP/2: {why}"))
}
