//! The facts of a request's head that outlive the buffer that it was parsed from.

use std::time::Duration;

use crate::http1::{Method, RequestHead, Upgrade, Version};
use crate::routing::ServiceSettings;

/// The facts that decide how a response is read, written and timed.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(crate) struct Facts {
    pub method: Method,
    pub version: Version,
    /// The client wants its connection to be kept.
    pub keep: bool,
    pub expect_continue: bool,
    pub has_body: bool,
    pub is_grpc: bool,
    /// Whether trailers are passed on.
    pub trailers: bool,
    /// The protocol that the origin is asked to switch to.
    pub upgrade: Option<Box<[u8]>>,
    pub response_timeout: Duration,
    pub stream_idle_timeout: Duration,
    pub tunnel_idle_timeout: Duration,
    /// The value of `Strict-Transport-Security`, if the listener has one.
    pub hsts: Option<&'static str>,
}

impl Facts {
    pub(crate) fn new(head: &RequestHead, buf: &[u8], settings: &ServiceSettings) -> Self {
        let upgrade = match head.upgrade {
            Upgrade::To(protocol) => Some(protocol.of(buf).into()),
            Upgrade::None | Upgrade::Stripped => None,
        };
        Self {
            method: head.method,
            version: head.version,
            keep: head.keep_alive(),
            expect_continue: head.expect_continue,
            has_body: head.framing.has_body(),
            is_grpc: head.is_grpc,
            trailers: head.te_trailers || head.is_grpc,
            upgrade,
            response_timeout: settings.response_timeout,
            stream_idle_timeout: settings.stream_idle_timeout,
            tunnel_idle_timeout: settings.tunnel_idle_timeout,
            hsts: None,
        }
    }

    /// Whether the request may be sent a second time although the origin may have seen it.
    pub(crate) fn is_replayable(&self) -> bool {
        self.method.is_replayable() && !self.has_body && self.upgrade.is_none()
    }
}
