//! Reads `[[webhooks]]` and `[[notifiers]]`.

use crate::config::kind::{list, secret, some, text, text_that};
use crate::config::name::check_name;
use crate::config::section::{Section, word};
use crate::config::shown::quoted;
use crate::config::walk::{Item, Walk};
use crate::config::{Notifier, NotifierKind, Secret, Shown, Webhook, WebhookKind};
use crate::release::Notice;

const RIGHT: &str = "{ file = \"/path\" } or { env = \"NAME\" }";

const WEBHOOK_KINDS: [(&str, WebhookKind); 5] = [
    ("dockerhub", WebhookKind::Dockerhub),
    ("generic", WebhookKind::Generic),
    ("github", WebhookKind::Github),
    ("bitbucket", WebhookKind::Bitbucket),
    ("registry", WebhookKind::Registry),
];

pub(super) fn webhooks(root: &mut Section<'_, '_>) -> Vec<Webhook> {
    root.rows("webhooks", webhook).unwrap_or_default()
}

fn webhook(row: &mut Section<'_, '_>) -> Webhook {
    let name = row.required("name", text_that("a name", check_name), "name = \"hub\"").unwrap_or_default();
    if !row.has("kind") {
        row.missing("kind", "kind = \"dockerhub\", \"generic\", \"github\", \"bitbucket\" or \"registry\"");
    }
    let kind = row.word("kind", &WEBHOOK_KINDS, WebhookKind::Generic);
    let service = text("a service's name");
    let service = row.required("service", service, "service = \"backend\"").unwrap_or_default();
    let token = row.optional("token", secret);
    let secret = row.optional("secret", secret);
    let kind_key = row.key("kind");
    if row.walk.sound(&[&kind_key]) {
        credentials(row, kind);
    }
    let allow =
        row.value("allow", list(text("a text, such as \"org/app:prod\""), "[\"org/app:prod\"]"), Vec::new());
    Webhook { name, kind, service, token, secret, allow }
}

/// Requires a token or a secret. A webhook that anyone can call would let anyone release.
fn credentials(row: &mut Section<'_, '_>, kind: WebhookKind) {
    let (token, secret) = (row.has("token"), row.has("secret"));
    let secret_key = row.key("secret");
    match kind {
        WebhookKind::Dockerhub => {
            if secret {
                row.walk.fault(&secret_key, "would never be checked: Docker Hub does not sign, so use token");
            }
            if !token {
                row.missing("token", &format!("Docker Hub does not sign, so token = {RIGHT}"));
            }
        }
        WebhookKind::Github | WebhookKind::Bitbucket => {
            if !secret {
                row.missing("secret", &format!("what the sender signs with, secret = {RIGHT}"));
            }
        }
        WebhookKind::Generic | WebhookKind::Registry => {
            if !secret && !token {
                row.missing("secret", &format!("secret (the sender signs) or token = {RIGHT}"));
            }
        }
    }
}

const NOTIFIER_KINDS: [(&str, NotifierKind); 2] =
    [("slack", NotifierKind::Slack), ("webhook", NotifierKind::Webhook)];

const EVENTS: [(&str, Notice); 10] = [
    ("started", Notice::Started),
    ("awaiting", Notice::Awaiting),
    ("promoted", Notice::Promoted),
    ("succeeded", Notice::Succeeded),
    ("failed", Notice::Failed),
    ("cancelled", Notice::Cancelled),
    ("reverted", Notice::Reverted),
    ("rolled_back", Notice::RolledBack),
    ("degraded", Notice::Degraded),
    ("alarm", Notice::Alarm),
];

impl Shown for Notice {
    fn shown(&self) -> String {
        EVENTS.iter().find(|(_, event)| event == self).map_or_else(String::new, |(word, _)| quoted(word))
    }
}

fn event(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<Notice> {
    word(walk, item, &EVENTS)
}

pub(super) fn notifiers(root: &mut Section<'_, '_>) -> Vec<Notifier> {
    root.rows("notifiers", notifier).unwrap_or_default()
}

fn notifier(row: &mut Section<'_, '_>) -> Notifier {
    if !row.has("kind") {
        row.missing("kind", "kind = \"slack\" or \"webhook\"");
    }
    let kind = row.word("kind", &NOTIFIER_KINDS, NotifierKind::Webhook);
    let url = row.required("url", secret, &format!("url = {RIGHT}"));
    let secret = row.optional("secret", secret);
    let (kind_key, secret_key) = (row.key("kind"), row.key("secret"));
    if kind == NotifierKind::Slack && secret.is_some() && row.walk.sound(&[&kind_key]) {
        row.walk.fault(&secret_key, "would never be used: Slack takes no signature, so remove it");
    }
    let all = EVENTS.iter().map(|(_, event)| *event).collect();
    let events = row.value("events", some(event, "[\"failed\", \"reverted\"]"), all);
    Notifier { kind, url: url.unwrap_or_else(|| Secret::Env(String::new())), secret, events }
}
