//! From what people run today to a configuration of greenlight: a text in, a text out.
//!
//! Two things are read: a compose file (or a Docker Cloud stack file) whose load balancer is
//! dockercloud/haproxy or nginx-proxy, and the environment of the blue/green script for Docker Cloud
//! that greenlight replaces. What comes out passes `greenlight check`, and says in a comment what could not
//! be carried over and why: a setting that is dropped in silence is an outage later.
//!
//! A value that may be a secret is never printed: registry credentials become `{ env = }`, the app's
//! own go into an env file ([`Imported::secrets`]) that the caller writes, or names for a person to write.
//!
//! Pure: no file, no environment, no clock. The way: text -> [`compose::Unit`]s, one a service of the file
//! -> blue/green pairs ([`pair`]) -> [`plan::Plan`] -> TOML ([`mod@write`]).

mod assemble;
mod check;
pub(crate) mod command;
mod compose;
mod fault;
mod front;
mod host;
mod keys;
mod pair;
mod plan;
mod ports;
mod quantity;
mod script;
mod secrecy;
mod service;
mod sound;
#[cfg(test)]
mod tests;
mod variables;
mod volumes;
mod write;
mod yaml;

use std::collections::BTreeMap;

pub use fault::ImportFault;
pub use variables::env_lines;

/// Variables by name, as in an environment.
pub type Variables = BTreeMap<String, String>;

/// What is read, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's name, for the first line of what is printed.
    pub name: &'a str,
    pub text: &'a str,
    /// The folder that relative paths are in, absolute, without a slash at its end.
    pub folder: &'a str,
    /// What `${NAME}` becomes.
    pub variables: &'a Variables,
    /// `follow = true`: compose goes on starting the containers.
    pub follow: bool,
    /// Where env files with secrets are or will be written; `None`: they are only named in a comment.
    pub secrets: Option<&'a str>,
}

/// A configuration, and what must not stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub config: String,
    /// File name -> `NAME=value` lines, for [`Source::secrets`].
    pub secrets: BTreeMap<String, String>,
}

/// A compose file.
///
/// # Errors
/// Not YAML, not a compose file, or nothing in it that a front door would serve.
pub fn compose(source: &Source<'_>) -> Result<Imported, ImportFault> {
    let document = yaml::read(source.text)?;
    let project = compose::Project::read(source, document)?;
    let plan = assemble::from_project(source, &project)?;
    Ok(write::write(&plan))
}

/// The environment of the script for Docker Cloud.
///
/// # Errors
/// None of its variables is there, or none says which hosts are served.
pub fn script(variables: &Variables) -> Result<Imported, ImportFault> {
    Ok(write::write(&script::plan(variables)?))
}
