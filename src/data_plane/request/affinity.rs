//! With `affinity = "cookie"` a client returns to the endpoint that answered it first, as long as that
//! endpoint may get requests. The cookie names the endpoint by a hash of its id, so that it shows
//! nothing of the inside. The id has the color in it. So after a switch the cookie names no endpoint,
//! and the client gets a new one.

use std::fmt::Write;

use crate::http1::{FieldKind, RequestHead};

/// The name of the cookie.
const NAME: &[u8] = b"greenlight";

/// The key of the endpoint that the request's cookie names.
pub(crate) fn named(head: &RequestHead, buf: &[u8]) -> Option<u64> {
    let cookies = head.fields.iter().filter(|field| field.kind == FieldKind::Cookie);
    cookies.map(|field| field.value.of(buf)).find_map(in_cookies)
}

/// The key in the value of one `Cookie` field (RFC 6265, 4.2.1).
pub(crate) fn in_cookies(value: &[u8]) -> Option<u64> {
    value.split(|&byte| byte == b';').find_map(|pair| {
        let (name, value) = pair.trim_ascii().split_at_checked(NAME.len())?;
        let value = value.strip_prefix(b"=").filter(|_| name == NAME)?;
        let text = std::str::from_utf8(value).ok().filter(|text| text.len() == 16)?;
        u64::from_str_radix(text, 16).ok()
    })
}

/// The value of the `Set-Cookie` that names an endpoint.
pub(crate) fn set_cookie(key: u64, secure: bool) -> String {
    let mut text = String::with_capacity(80);
    // Writing to a String can't fail.
    let _ = write!(text, "greenlight={key:016x}; Path=/; HttpOnly; SameSite=Lax");
    if secure {
        text.push_str("; Secure");
    }
    text
}
