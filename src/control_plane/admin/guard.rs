//! Decides which requests are let in. With a token, a client has to show it. Without a token (on loopback
//! only, see `server`), only requests pass that no web page from elsewhere can make. If an attacker points
//! a name at 127.0.0.1 (DNS rebinding), a page under that name carries the name in `Host`. A page that
//! posts across sites carries its own name in `Origin`. So both headers must name this machine.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::{Identity, Peer};
use super::problem::{Kind, Problem};
use super::shared::Shared;

/// The layer in front of every path but `/healthz` and `/readyz`.
pub(crate) async fn guard(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    match admit(&shared, &request) {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn admit(shared: &Shared, request: &Request) -> Result<Identity, Problem> {
    let peer = request.extensions().get::<Peer>().map_or(shared.local, |peer| peer.0);
    let by = if let Some(token) = &shared.token {
        let shown = bearer(request.headers()).ok_or_else(|| {
            Problem::new(Kind::Unauthorized, "show the token as `Authorization: Bearer <token>`")
        })?;
        if !token.is(shown) {
            return Err(Problem::new(Kind::Unauthorized, "that is not the token of [admin] token"));
        }
        "token"
    } else {
        local_only(request.uri(), request.headers(), shared.encrypted)?;
        "loopback"
    };
    Identity::new(by, peer, request.headers())
}

/// The token of an `Authorization: Bearer` header (RFC 6750 section 2.1). The scheme's case does not matter
/// (RFC 9110 section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.as_bytes();
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

fn local_only(uri: &Uri, headers: &HeaderMap, encrypted: bool) -> Result<(), Problem> {
    let refuse = |what: &str| {
        Problem::new(
            Kind::ForeignOrigin,
            format!("{what}: without a token only this machine may ask; set [admin] token for others"),
        )
    };
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(refuse("one Host is needed"));
    };
    let host = authority(host.as_bytes()).filter(is_loopback);
    let host = host.ok_or_else(|| refuse("the Host is not a loopback name or address"))?;
    if uri.authority().is_some_and(|authority| !is_loopback(authority)) {
        return Err(refuse("the target is not a loopback name or address"));
    }
    let scheme: &[u8] = if encrypted { b"https://" } else { b"http://" };
    for origin in headers.get_all(header::ORIGIN) {
        let of_same = origin.as_bytes().strip_prefix(scheme).and_then(authority);
        if of_same.is_none_or(|origin| !origin.as_str().eq_ignore_ascii_case(host.as_str())) {
            return Err(refuse("the Origin is another one than the Host"));
        }
    }
    Ok(())
}

fn authority(bytes: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(bytes).ok()?;
    (!authority.as_str().contains('@')).then_some(authority)
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests;
