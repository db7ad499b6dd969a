//! The control plane: the loop that decides, and everything that it hears and does.

pub mod acme;
pub mod admin;
pub mod controller;
pub mod notify;
pub mod probe;
pub mod provider;
pub mod store;
pub mod web;
pub mod webhooks;
