//! Messages that come in and go out beside requests: webhooks, notifiers, and hooks of a release.

use std::net::SocketAddr;
use std::time::Duration;

use crate::release::Notice;

use super::Secret;

/// `[hooks]`: where webhooks come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookListener {
    /// The address of a listener for webhooks alone.
    pub bind: Option<SocketAddr>,
    /// Whether webhooks come in under `/hooks/` of the public listeners too.
    pub public: bool,
}

/// The kind of sender. It determines the form of the messages and how they are signed.
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
    /// The token in the URL or in a header, for senders that can't sign.
    pub token: Option<Secret>,
    /// The key that the sender signs with.
    pub secret: Option<Secret>,
    /// The `repository:tag` texts that are taken. If it is empty, all are taken.
    pub allow: Vec<String>,
}

/// The message format that the receiver understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifierKind {
    Slack,
    Webhook,
}

/// `[[notifiers]]`: a receiver of notices about releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifier {
    pub kind: NotifierKind,
    /// The receiver's URL. It is a secret, because everyone who has it can post.
    pub url: Secret,
    /// The key that greenlight signs with.
    pub secret: Option<Secret>,
    /// The notices that this receiver gets.
    pub events: Vec<Notice>,
}

/// The action of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookAction {
    /// Sends a POST. A 2xx answer lets the release go on.
    Url(String),
    /// Runs a command in a fresh container of the new image. Exit code 0 lets the release go on.
    Command(Vec<String>),
}

/// One hook, and the longest time that it may take.
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
