//! The webhooks of the configuration, ready for messages. Their secrets are read and their patterns parsed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::config::{Config, Secret, Upstream, Webhook, WebhookKind};
use crate::model::ImageReference;

use super::allow::{Allowed, Pattern};
use super::credential::{Signing, TokenHash, check_token};
use super::rate::{BURST, PER_SECOND, Rate};
use super::replay::Replay;

/// Why a webhook can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("webhooks[{index}].{key}: {why}")]
pub struct BookFault {
    pub index: usize,
    pub key: &'static str,
    pub why: String,
}

/// One webhook.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: WebhookKind,
    pub(crate) service: String,
    pub(crate) token: Option<TokenHash>,
    pub(crate) signing: Option<Signing>,
    pub(crate) allowed: Allowed,
    pub(crate) memory: Arc<Memory>,
}

/// The memory of a webhook about its messages. It survives a reload.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) rate: Mutex<Rate>,
    pub(crate) replay: Mutex<Replay>,
}

/// Every webhook by its name.
#[derive(Debug, Default)]
pub struct Book {
    entries: HashMap<String, Arc<Entry>>,
}

impl Book {
    /// Reads the secrets. A webhook that is also in `before` keeps its memory. A webhook at fault is left
    /// out; the others are not affected.
    #[must_use]
    pub fn read(config: &Config, before: &Self) -> (Self, Vec<BookFault>) {
        let mut book = Self::default();
        let mut faults = Vec::new();
        for (index, webhook) in config.webhooks.iter().enumerate() {
            match hook(config, webhook, before.entries.get(&webhook.name)) {
                Ok(hook) => {
                    book.entries.insert(hook.name.clone(), Arc::new(hook));
                }
                Err((key, why)) => faults.push(BookFault { index, key, why }),
            }
        }
        (book, faults)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Entry>> {
        self.entries.get(name).cloned()
    }
}

fn hook(
    config: &Config,
    webhook: &Webhook,
    before: Option<&Arc<Entry>>,
) -> Result<Entry, (&'static str, String)> {
    let read = |key, secret: &Secret| secret.read().map_err(|why| (key, why.to_string()));
    let token = match &webhook.token {
        Some(secret) => {
            let token = read("token", secret)?;
            check_token(&token).map_err(|why| ("token", format!("what {secret} holds {why}")))?;
            Some(TokenHash::of(&token))
        }
        None => None,
    };
    let signing = match &webhook.secret {
        Some(secret) => Some(Signing::new(&read("secret", secret)?)),
        None => None,
    };
    // Anyone could call such a webhook. The configuration refuses it too.
    if token.is_none() && signing.is_none() {
        return Err(("secret", "neither token nor secret: anybody could start a release".to_owned()));
    }
    let service = config.services.iter().find(|service| service.name.as_str() == webhook.service);
    let image = match service.map(|service| &service.upstream) {
        // The configuration has checked this image reference.
        Some(Upstream::Docker { image: Some(image), .. }) => ImageReference::parse(image).ok(),
        Some(Upstream::Docker { image: None, .. } | Upstream::Fixed { .. }) | None => None,
    };
    let own_tags = match service.map(|service| &service.upstream) {
        Some(Upstream::Docker { engine, .. }) => {
            let tags = engine.tags.iter().flat_map(|tags| [&tags.stable, &tags.previous]);
            tags.flatten().cloned().collect()
        }
        Some(Upstream::Fixed { .. }) | None => Vec::new(),
    };
    let patterns = webhook.allow.iter().map(|text| Pattern::new(text)).collect();
    let memory = before.map_or_else(
        || Arc::new(Memory { rate: Mutex::new(Rate::new(BURST, PER_SECOND)), replay: Mutex::default() }),
        |hook| Arc::clone(&hook.memory),
    );
    Ok(Entry {
        name: webhook.name.clone(),
        kind: webhook.kind,
        service: webhook.service.clone(),
        token,
        signing,
        allowed: Allowed { patterns, image, own_tags },
        memory,
    })
}
