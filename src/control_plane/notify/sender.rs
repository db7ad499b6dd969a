//! One notifier's task. It takes the oldest notification and sends it, or gives it up.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use crate::clock;
use crate::config::{Notifier, NotifierKind, Secret};

use super::Notification;
use super::backoff::pause;
use super::client::{client, excerpt};
use super::counts::Counts;
use super::queue::Queue;
use super::{slack, webhook};
use crate::control_plane::web::ask::secret_causes;

const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// A notification that could not be sent for this long is too old to be useful.
const GIVE_UP_AFTER: Duration = Duration::from_mins(10);
/// The longest pause that a receiver may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(2);

/// Why a try did not succeed, and whether to try again.
struct Miss {
    why: String,
    /// Whether trying again may help.
    again: bool,
    wait: Option<Duration>,
}

impl Miss {
    fn for_good(why: String) -> Self {
        Self { why, again: false, wait: None }
    }

    fn for_now(why: String) -> Self {
        Self { why, again: true, wait: None }
    }
}

pub(crate) async fn run(name: String, notifier: Notifier, queue: Arc<Queue>, counts: Counts) {
    loop {
        let waiting = queue.pop().await;
        deliver(&name, &notifier, &waiting.news, &counts).await;
        waiting.done();
    }
}

async fn deliver(name: &str, notifier: &Notifier, news: &Notification, counts: &Counts) {
    let begun = clock::instant();
    let mut tries = 0;
    loop {
        tries += 1;
        let miss = match attempt(notifier, news).await {
            Ok(()) => {
                counts.sent.inc();
                tracing::debug!(notifier = name, news = news.id(), tries, "told");
                return;
            }
            Err(miss) => miss,
        };
        let spent = clock::instant().duration_since(begun);
        let wait = miss.wait.unwrap_or_else(|| pause(tries, fastrand::f64()));
        if !miss.again || spent + wait > GIVE_UP_AFTER {
            counts.failed.inc();
            tracing::error!(
                notifier = name,
                news = news.id(),
                tries,
                why = miss.why,
                "news could not be told"
            );
            return;
        }
        tracing::warn!(notifier = name, news = news.id(), tries, why = miss.why, ?wait, "news not told yet");
        tokio::time::sleep(wait).await;
    }
}

async fn read(secret: &Secret) -> Result<String, Miss> {
    let secret = secret.clone();
    let read = tokio::task::spawn_blocking(move || secret.read()).await;
    // A missing file may be in the middle of its renewal, so the read is tried again.
    match read {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(why)) => Err(Miss::for_now(why.to_string())),
        Err(why) => Err(Miss::for_now(why.to_string())),
    }
}

async fn attempt(notifier: &Notifier, news: &Notification) -> Result<(), Miss> {
    let url = read(&notifier.url).await?;
    let url = url.trim();
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(Miss::for_good(format!("{} holds no http:// or https:// URL", notifier.url)));
    }
    let message = match notifier.kind {
        NotifierKind::Slack => slack::message(news),
        NotifierKind::Webhook => webhook::message(news),
    };
    let body = message.to_string();
    let client = client(url, SEND_TIMEOUT).map_err(Miss::for_now)?;
    let mut request = client.post(url).header(CONTENT_TYPE, "application/json");
    if notifier.kind == NotifierKind::Webhook {
        request = request
            .header("X-Greenlight-Event", news.notice.as_str())
            .header("X-Greenlight-Delivery", news.id());
    }
    if let Some(secret) = &notifier.secret {
        let secret = read(secret).await?;
        let now = clock::unix_seconds();
        request = request
            .header("X-Greenlight-Timestamp", now)
            .header("X-Greenlight-Signature", webhook::signature(&secret, now, body.as_bytes()));
    }
    match request.body(body).send().await {
        Ok(answer) => judge(answer).await,
        Err(why) if why.is_builder() => Err(Miss::for_good(secret_causes(why))),
        Err(why) => Err(Miss::for_now(secret_causes(why))),
    }
}

/// Judges the receiver's answer. 2xx means that the message arrived. A status of 5xx, 408, 425 or
/// 429 is worth another try. Any other status is given up at once.
async fn judge(answer: reqwest::Response) -> Result<(), Miss> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let again = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
        );
    let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = wait.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    let said = excerpt(answer).await;
    Err(Miss { why: format!("answered {status} {said}").trim_end().to_owned(), again, wait })
}
