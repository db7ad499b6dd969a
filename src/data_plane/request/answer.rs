//! The answers that greenlight writes itself, because no origin answers the request. Their status codes are
//! all in this file, except those for a head that can't be parsed (`RequestFault`).

use crate::http1::{BodyFault, Method, RequestHead, TEXT, Upgrade, Version};
use crate::routing::ServiceSettings;

use super::facts::Facts;

/// An answer that greenlight writes itself, and whether the client's connection may stay open after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub status: u16,
    /// A sentence for people. It is the body of the answer if the service has no error page for the
    /// status, and the cause in the access log.
    pub text: &'static str,
    /// Whether the connection may stay open after the answer. It closes all the same if the request was not
    /// read to its end.
    pub(super) keeps: bool,
    /// The answer has the field `Retry-After: 1` (seconds).
    pub(super) retry_after: bool,
    /// The answer has an `Allow` field.
    pub(super) allow: bool,
}

impl Own {
    const fn new(status: u16, text: &'static str) -> Self {
        Self { status, text, keeps: true, retry_after: false, allow: false }
    }

    const fn closing(self) -> Self {
        Self { keeps: false, ..self }
    }

    const fn retried(self) -> Self {
        Self { retry_after: true, ..self }
    }

    /// The answer to `OPTIONS *`. The request is about the server as a whole, so greenlight answers it
    /// and no origin sees it (RFC 9110, 9.3.7).
    pub(crate) const OPTIONS: Self = Self { allow: true, ..Self::new(200, "") };
    pub(crate) const LATE_HEAD: Self =
        Self::new(408, "the request's head did not arrive in time\n").closing();
    pub(crate) const LATE_BODY: Self =
        Self::new(408, "the request's body stood still for too long\n").closing();
    pub(crate) const NO_SERVICE: Self = Self::new(404, "no service has this host\n");
    pub(crate) const BODY_TOO_LARGE: Self =
        Self::new(413, "the request's body is larger than it may be\n").closing();
    pub(crate) const BAD_BODY: Self = Self::new(400, "the request's body is malformed\n").closing();
    pub(crate) const BAD_TRAILERS: Self = Self::new(431, "the request's trailers are too large\n").closing();
    pub(crate) const UNREACHABLE: Self = Self::new(502, "the origin can't be reached\n");
    pub(crate) const NO_RESPONSE: Self =
        Self::new(502, "the origin closed the connection without an answer\n");
    pub(crate) const NOT_SWITCHED: Self =
        Self::new(502, "the origin does not switch to the protocol that was asked for\n");
    pub(crate) const SHAPELESS: Self = Self::new(400, "the request can't be said in the origin's protocol\n");
    pub(crate) const MALFORMED: Self = Self::new(502, "the origin's answer is malformed\n");
    pub(crate) const NO_ENDPOINT: Self = Self::new(503, "no origin is available\n").retried();
    pub(crate) const PAUSED: Self = Self::new(503, "the service is paused\n").retried();
    pub(crate) const FULL: Self = Self::new(503, "the service has too many requests at once\n").retried();
    pub(crate) const EXHAUSTED: Self = Self::new(503, "the proxy has no room for this request\n").retried();
    pub(crate) const CUT: Self =
        Self::new(503, "the request was ended; it may be sent again\n").retried().closing();
    pub(crate) const CONNECT_LATE: Self = Self::new(504, "the origin did not accept a connection in time\n");
    pub(crate) const RESPONSE_LATE: Self = Self::new(504, "the origin did not answer in time\n");

    /// The answer to a request whose body is malformed or whose trailers are too large.
    pub(crate) const fn bad_body(fault: BodyFault) -> Self {
        match fault.status() {
            431 => Self::BAD_TRAILERS,
            _ => Self::BAD_BODY,
        }
    }

    /// The content type and the body. If the service has an error page for this status, they come from
    /// that page. Otherwise the body is `text`.
    pub(crate) fn content<'a>(&self, settings: Option<&'a ServiceSettings>) -> (&'static str, &'a [u8]) {
        match settings.and_then(|settings| settings.error_page(self.status)) {
            Some(page) => (page.content_type, &page.body),
            None => (TEXT, self.text.as_bytes()),
        }
    }
}

/// The facts of a request that decide how greenlight writes its own answer to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct To<'a> {
    pub version: Version,
    pub method: Method,
    /// The client wants its connection to stay open.
    pub keep: bool,
    /// The request was read to its end.
    pub complete: bool,
    /// The request asked for an upgrade.
    pub upgrade: bool,
    /// The name and the value of one more field in the answer.
    pub extra: Option<(&'static str, &'static str)>,
    /// The settings of the service, which may have its own error pages. `None` while the service is not
    /// known.
    pub settings: Option<&'a ServiceSettings>,
}

impl To<'_> {
    /// The facts if no head was parsed. They are a GET of HTTP/1.1 whose connection is closed after the
    /// answer.
    pub(super) const UNKNOWN: Self = Self {
        version: Version::Http11,
        method: Method::Get,
        keep: false,
        complete: false,
        upgrade: false,
        extra: None,
        settings: None,
    };

    /// The facts of a request that is answered before it has a route. `complete` says whether the request
    /// was read to its end.
    pub(crate) fn head(head: &RequestHead, complete: bool) -> Self {
        let (version, method, keep) = (head.version, head.method, head.keep_alive());
        let upgrade = matches!(head.upgrade, Upgrade::To(_));
        Self { version, method, keep, complete, upgrade, ..Self::UNKNOWN }
    }

    /// The facts of a request that has a route. The buffer of its head may be gone, so they come from
    /// `facts`.
    pub(crate) fn request(facts: &Facts, complete: bool) -> Self {
        let Facts { version, method, keep, .. } = *facts;
        Self { version, method, keep, complete, upgrade: facts.upgrade.is_some(), ..Self::UNKNOWN }
    }
}
