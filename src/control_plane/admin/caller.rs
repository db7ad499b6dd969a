//! The client of the API, as the audit log names it.

use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::control_plane::controller::{Actor, Precondition};

use super::precondition::if_match;
use super::problem::{Kind, Problem};

/// The header in which a client may say who it is. The audit log keeps this name beside the way in which
/// the client was let in.
pub(crate) const ACTOR_HEADER: &str = "x-greenlight-actor";
const ACTOR_CHARS_MAX: usize = 64;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// How a client was let in, and the name that it gives itself.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// `token` or `loopback`.
    pub(crate) by: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) peer: SocketAddr,
}

impl Identity {
    pub(crate) fn new(by: &'static str, peer: SocketAddr, headers: &HeaderMap) -> Result<Self, Problem> {
        let name = headers.get(ACTOR_HEADER).map(|value| actor_name(value.as_bytes())).transpose()?;
        Ok(Self { by, name, peer })
    }

    /// A text that is the same for each request of one client. It leaves out the port, which changes.
    pub(crate) fn scope(&self) -> String {
        format!("{}/{}", self.by, self.name.as_deref().unwrap_or_default())
    }

    fn actor(&self) -> Actor {
        let Self { by, name, peer } = self;
        Actor(match name {
            Some(name) => format!("{name} ({by}, {peer})"),
            None => format!("{by}, {peer}"),
        })
    }
}

fn actor_name(value: &[u8]) -> Result<String, Problem> {
    let printable = |bytes: &[u8]| bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
    match std::str::from_utf8(value) {
        Ok(name) if (1..=ACTOR_CHARS_MAX).contains(&name.trim().len()) && printable(value) => {
            Ok(name.trim().to_owned())
        }
        _ => Err(Problem::new(
            Kind::BadRequest,
            format!("{ACTOR_HEADER} has to be 1 to {ACTOR_CHARS_MAX} printable ASCII characters"),
        )),
    }
}

/// The sender of a command, and the condition that it sets.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) precondition: Option<Precondition>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let identity = parts
            .extensions
            .get::<Identity>()
            .ok_or_else(|| Problem::new(Kind::Unauthorized, "no caller was let in"))?;
        Ok(Self { actor: identity.actor(), precondition: if_match(&parts.headers)? })
    }
}
