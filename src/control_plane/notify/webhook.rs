//! A message for any receiver, in JSON and signed like greenlight's incoming generic webhooks. This
//! file is pure.

use std::fmt::Write as _;

use ring::hmac;
use serde_json::{Value, json};

use super::Notification;
use super::words::{command, title};

/// Makes the body of the POST. Fields may be added, not renamed.
pub(crate) fn message(news: &Notification) -> Value {
    json!({
        "id": news.id(),
        "event": news.notice.as_str(),
        "service": news.service,
        "time": news.time,
        "title": title(news),
        "reason": news.reason,
        "release": news.release,
        "alarm": news.alarm,
        "active": news.active,
        "active_version": news.active_version,
        "command": command(news).map(|(what, command)| json!({ "what": what, "command": command })),
    })
}

/// Returns the signature of a body: `sha256=` and the hex of HMAC-SHA-256 over the time (Unix
/// seconds, as in `X-Greenlight-Timestamp`), one `.`, and the body. Since the time is signed, a
/// receiver can refuse a message that somebody sends again later.
pub(crate) fn signature(secret: &str, unix_seconds: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(unix_seconds.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    let mut text = "sha256=".to_owned();
    for byte in context.sign().as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
