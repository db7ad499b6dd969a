//! A client for one registry. It reads and writes manifests, in one repository at a time.

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use crate::control_plane::web::ask;
use crate::model::DOCKER_HUB;

use super::RegistryFault;
use super::challenge::{Challenge, parse};
use super::realm;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(20);
/// The largest manifest, in bytes. Registries refuse larger ones (4 MiB in distribution).
const MANIFEST_BYTES_MAX: usize = 4 << 20;
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// Every kind of manifest that can have a tag.
const KINDS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                     application/vnd.docker.distribution.manifest.list.v2+json, \
                     application/vnd.docker.distribution.manifest.v2+json";

/// The credentials for a registry. They are never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    Password {
        username: String,
        password: String,
    },
    /// An identity token, which `docker login` keeps if a registry gives one. It is exchanged for a token.
    Identity(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

/// A manifest, byte by byte as the registry has it, because its digest is that of these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub kind: String,
    pub bytes: Vec<u8>,
    /// The digest `sha256:...`, computed from the bytes.
    pub digest: String,
}

/// A registry.
#[derive(Debug)]
pub struct Registry {
    host: String,
    client: Client,
    base: String,
    login: Option<Login>,
}

impl Registry {
    /// The registry of a host as it stands in an image's name; `docker.io` is the Docker Hub. A registry on
    /// a loopback address may speak plain HTTP, as for the docker command. It is tried after HTTPS.
    ///
    /// # Errors
    /// The HTTP client can't be built, for example because certificates can't be read.
    pub async fn open(host: &str, login: Option<Login>) -> Result<Self, RegistryFault> {
        let away = |why: String| RegistryFault::Away { host: host.to_owned(), why };
        let build = |secure: bool| {
            let mut builder = ask::client().connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
            if !secure {
                builder = builder.tls_certs_only([]);
            }
            builder.build().map_err(|why| away(ask::secret_causes(why)))
        };
        let name = if host == DOCKER_HUB { "registry-1.docker.io" } else { host };
        let (secure, plain) = (format!("https://{name}"), format!("http://{name}"));
        let open = |client, base| Self { host: host.to_owned(), client, base, login: login.clone() };
        if !is_loopback(name) {
            return Ok(open(build(true)?, secure));
        }
        let client = build(false)?;
        // Plain HTTP is used only on loopback, so its content does not leave this machine.
        match client.get(format!("{secure}/v2/")).send().await {
            Ok(_) => Ok(open(build(true)?, secure)),
            Err(why) if is_certificate(&why) => Ok(open(build(true)?, secure)),
            Err(_) => Ok(open(client, plain)),
        }
    }

    /// The manifest of a tag or digest. For a digest, only content with that digest is accepted.
    ///
    /// # Errors
    /// See [`RegistryFault`].
    pub async fn manifest(&self, repository: &str, reference: &str) -> Result<Manifest, RegistryFault> {
        let what = format!("GET manifest {reference} of {repository}");
        let answer = self.ask(Method::GET, repository, reference, &what, None).await?;
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or("application/vnd.docker.distribution.manifest.v2+json").to_owned();
        let bytes = self.body(answer, MANIFEST_BYTES_MAX, &what).await?;
        let digest = sha256(&bytes);
        if reference.starts_with("sha256:") && reference != digest {
            return Err(self.malformed(&what, format!("its content has the digest {digest}")));
        }
        Ok(Manifest { kind, bytes, digest })
    }

    /// Writes a manifest under a tag, which moves the tag.
    ///
    /// # Errors
    /// See [`RegistryFault`].
    pub async fn put(&self, repository: &str, tag: &str, manifest: &Manifest) -> Result<(), RegistryFault> {
        let what = format!("PUT tag {tag} of {repository}");
        self.ask(Method::PUT, repository, tag, &what, Some(manifest)).await.map(drop)
    }

    /// Sends a request. After a 401 it sends it once more with the credentials that the registry asks for.
    /// Returns an answer with 2xx.
    async fn ask(
        &self,
        method: Method,
        repository: &str,
        reference: &str,
        what: &str,
        manifest: Option<&Manifest>,
    ) -> Result<Response, RegistryFault> {
        let url = format!("{}/v2/{repository}/manifests/{reference}", self.base);
        let request = || {
            let request = self.client.request(method.clone(), &url).header(ACCEPT, KINDS);
            match manifest {
                Some(manifest) => request.header(CONTENT_TYPE, &manifest.kind).body(manifest.bytes.clone()),
                None => request,
            }
        };
        let mut answer = self.send(request()).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            let again = self.known(request(), &answer, repository, manifest.is_some()).await?;
            answer = self.send(again).await?;
        }
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let why = said(&self.body(answer, TOKEN_BYTES_MAX, what).await.unwrap_or_default());
        let (host, repository) = (self.host.clone(), repository.to_owned());
        Err(match status.as_u16() {
            401 | 403 => RegistryFault::Unauthorized { host, repository, why },
            404 => RegistryFault::NotFound { host, repository, reference: reference.to_owned() },
            429 | 500.. => RegistryFault::Away { host, why: format!("{status} {why}") },
            status => RegistryFault::Refused { host, what: what.to_owned(), status, why },
        })
    }

    /// The same request with the credentials that the 401 asks for.
    async fn known(
        &self,
        request: RequestBuilder,
        answer: &Response,
        repository: &str,
        writes: bool,
    ) -> Result<RequestBuilder, RegistryFault> {
        let fields = answer.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = fields.filter_map(|field| field.to_str().ok()).find_map(parse);
        match (challenge, &self.login) {
            (Some(Challenge::Bearer { realm, service, scope }), _) => {
                let rights = if writes { "pull,push" } else { "pull" };
                let scope = scope.unwrap_or_else(|| format!("repository:{repository}:{rights}"));
                let token = self.token(&realm, service.as_deref(), &scope, repository).await?;
                Ok(request.header(AUTHORIZATION, format!("Bearer {token}")))
            }
            (Some(Challenge::Basic), Some(Login::Password { username, password })) => {
                Ok(request.basic_auth(username, Some(password)))
            }
            (Some(Challenge::Basic), _) => {
                Err(self.unauthorized(repository, "it wants a user and a password"))
            }
            (None, _) => {
                Err(self.unauthorized(repository, "it asks for a way of knowing us that we do not have"))
            }
        }
    }

    /// A token for one repository (distribution's "Token Authentication Specification").
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        repository: &str,
    ) -> Result<String, RegistryFault> {
        #[derive(Deserialize)]
        struct Given {
            token: Option<String>,
            access_token: Option<String>,
        }
        let what = "a request for a token";
        let mut url =
            Url::parse(realm).map_err(|why| self.malformed(what, format!("its realm is no URL: {why}")))?;
        realm::check(&url, &self.base).map_err(|why| self.malformed(what, why))?;
        let request = match &self.login {
            Some(Login::Identity(identity)) => {
                let mut form = Url::parse("form:").map_err(|why| self.malformed(what, why.to_string()))?;
                form.query_pairs_mut()
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", identity)
                    .append_pair("client_id", "greenlight")
                    .append_pair("service", service.unwrap_or_default())
                    .append_pair("scope", scope);
                self.client
                    .post(url)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.query().unwrap_or_default().to_owned())
            }
            login => {
                let mut query = url.query_pairs_mut();
                service.map(|service| query.append_pair("service", service));
                query.append_pair("scope", scope);
                drop(query);
                match login {
                    Some(Login::Password { username, password }) => {
                        self.client.get(url).basic_auth(username, Some(password))
                    }
                    _ => self.client.get(url),
                }
            }
        };
        let answer = self.send(request).await?;
        let status = answer.status();
        let bytes = self.body(answer, TOKEN_BYTES_MAX, what).await?;
        if !status.is_success() {
            return Err(self.unauthorized(repository, &format!("no token: {status} {}", said(&bytes))));
        }
        let given: Option<Given> = serde_json::from_slice(&bytes).ok();
        let token =
            given.and_then(|given| given.token.or(given.access_token)).filter(|token| !token.is_empty());
        token.ok_or_else(|| self.malformed(what, "it holds no token".to_owned()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, RegistryFault> {
        let sent = request.send().await;
        sent.map_err(|why| RegistryFault::Away { host: self.host.clone(), why: ask::secret_causes(why) })
    }

    async fn body(&self, mut answer: Response, max: usize, what: &str) -> Result<Vec<u8>, RegistryFault> {
        let mut bytes = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= max => bytes.extend_from_slice(&chunk),
                Ok(Some(_)) => return Err(self.malformed(what, format!("it is over {max} bytes"))),
                Ok(None) => return Ok(bytes),
                Err(why) => {
                    return Err(RegistryFault::Away {
                        host: self.host.clone(),
                        why: ask::secret_causes(why),
                    });
                }
            }
        }
    }

    fn malformed(&self, what: &str, why: String) -> RegistryFault {
        RegistryFault::Malformed { host: self.host.clone(), what: what.to_owned(), why }
    }

    fn unauthorized(&self, repository: &str, why: &str) -> RegistryFault {
        let (host, repository) = (self.host.clone(), repository.to_owned());
        RegistryFault::Unauthorized { host, repository, why: why.to_owned() }
    }
}

/// The first error in a registry's words, or the beginning of its answer.
fn said(bytes: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let first = &value["errors"][0];
    if let (Some(code), message) = (first["code"].as_str(), first["message"].as_str()) {
        return format!("{code}: {}", message.unwrap_or("no message"));
    }
    let text = String::from_utf8_lossy(bytes);
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// The digest of the bytes, as `sha256:` and 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the server speaks TLS and only its certificate was refused. The client that asks trusts no
/// certificate.
fn is_certificate(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        if source.to_string().contains("invalid peer certificate") {
            return true;
        }
        cause = source.source();
    }
    false
}
