//! The control plane: the loop that decides, the code that brings it facts and commands, and the
//! code that carries out its decisions.

pub mod acme;
pub mod admin;
pub mod controller;
pub mod notify;
pub mod probe;
pub mod provider;
pub mod store;
pub mod web;
pub mod webhooks;
