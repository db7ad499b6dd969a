//! A message for Slack's incoming webhooks (api.slack.com/reference/block-kit/blocks). This file is
//! pure.

use serde_json::{Value, json};

use super::Notification;
use super::words::{command, facts, sign, title};

/// The longest text of a header, in characters. Slack refuses a whole message if one text is too
/// long: 150 characters in a header, 3 000 in a section, 2 000 in a field.
const HEADER_MAX: usize = 140;
const TEXT_MAX: usize = 2800;
const FIELD_MAX: usize = 1900;

/// Makes the body of the POST.
pub(crate) fn message(news: &Notification) -> Value {
    let title = title(news);
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "emoji": true, "text": format!("{} {}", sign(news), cut(&title, HEADER_MAX)) } }),
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": cut(&escape(&news.reason), TEXT_MAX) } }),
    ];
    let fields: Vec<Value> = facts(news)
        .into_iter()
        .map(|(name, value)| {
            let text = cut(&format!("*{name}*\n{}", escape(&value)), FIELD_MAX);
            json!({ "type": "mrkdwn", "text": text })
        })
        .collect();
    if !fields.is_empty() {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    if let Some((what, command)) = command(news) {
        let text = format!("{what}: `{}`", escape(&command));
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }));
    }
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": format!("greenlight, {}", news.time) }] }));
    // Notifications show only this text, as do clients without blocks.
    json!({ "text": cut(&escape(&format!("{title}: {}", news.reason)), TEXT_MAX), "blocks": blocks })
}

/// Escapes the characters that Slack takes for markup, since an image's name or a reason must not
/// notify a whole channel.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(3)).collect();
    // A cut escape would be shown literally.
    if let Some(at) = short.rfind('&')
        && !short[at..].contains(';')
    {
        short.truncate(at);
    }
    short + "..."
}
