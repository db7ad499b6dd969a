//! HTTP of the control plane: [`serve`] serves its listeners, and [`ask`] makes the clients for
//! other servers.
//!
//! The data plane has its own codec and its own rules. The control plane speaks with people,
//! webhooks, registries and receivers of messages. They are few at a time, so libraries do the
//! work. The decisions here hold for all of them. Incoming connections have limits and an orderly
//! end. Outgoing requests use no proxy from the environment and follow no redirect.

pub mod ask;
pub mod serve;
