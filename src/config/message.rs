//! What comes in and goes out beside requests: webhooks, notifiers, hooks of a release.

use std::net::SocketAddr;
use std::time::Duration;

use crate::release::Notice;

use super::Secret;

/// `[hooks]`: where webhooks come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookListener {
    /// A listener of their own.
    pub bind: Option<SocketAddr>,
    /// Under `/hooks/` of the public listeners.
    pub public: bool,
}

/// Who sends: what its messages look like and how they are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookKind {
    Dockerhub,
    Generic,
    Github,
    Bitbucket,
    Registry,
}

/// `[[webhooks]]`: a message that may start a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub name: String,
    pub kind: WebhookKind,
    pub service: String,
    /// In the URL or a header, where the sender can't sign.
    pub token: Option<Secret>,
    /// What the sender signs with.
    pub secret: Option<Secret>,
    /// `repository:tag` texts that are taken; empty: all.
    pub allow: Vec<String>,
}

/// What the receiver understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifierKind {
    Slack,
    Webhook,
}

/// `[[notifiers]]`: where news go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifier {
    pub kind: NotifierKind,
    /// A secret, since who has it can post.
    pub url: Secret,
    /// What we sign with.
    pub secret: Option<Secret>,
    pub events: Vec<Notice>,
}

/// What a hook does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookAction {
    /// POST; 2xx goes on.
    Url(String),
    /// In a fresh container of the new image; exit 0 goes on.
    Command(Vec<String>),
}

/// One hook, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    pub action: HookAction,
    pub timeout: Duration,
}

/// `[services.NAME.hooks]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookPoints {
    pub pre_promote: Option<Hook>,
    pub post_promote: Option<Hook>,
    pub on_revert: Option<Hook>,
}
