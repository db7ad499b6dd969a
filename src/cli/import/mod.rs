//! Makes a configuration of greenlight from the setup that people run today. A text goes in, and a text
//! comes out.
//!
//! It reads two kinds of input. One is a compose file (or a Docker Cloud stack file) whose load balancer
//! is dockercloud/haproxy or nginx-proxy. The other is the environment of the blue/green script for Docker
//! Cloud that greenlight replaces. The configuration passes `greenlight check`. Its comments name the
//! settings that could not be carried over, with the reasons, because a setting that is dropped in silence
//! is an outage later.
//!
//! A value that may be a secret is never printed. Registry credentials become `{ env = }`. Secrets of the
//! app go into an env file ([`Imported::secrets`]). The caller writes that file, or the configuration
//! names the variables, so that a person can write it.
//!
//! The code is pure, except for `command`: it reads no file, no environment and no clock. The text becomes
//! [`compose::Unit`]s, one for each service of the file. The units become blue/green pairs ([`pair`]), the
//! pairs become a [`plan::Plan`], and the plan becomes TOML ([`mod@write`]).

mod assemble;
mod check;
pub(crate) mod command;
mod compose;
mod fault;
mod files;
mod front;
mod host;
mod keys;
mod labels;
mod options;
mod pair;
mod plain;
mod plan;
mod ports;
mod quantity;
mod script;
mod secrecy;
mod service;
mod sound;
#[cfg(test)]
mod tests;
mod toml;
mod variables;
mod volumes;
mod write;
mod yaml;

use std::collections::BTreeMap;

pub use fault::ImportFault;
pub use variables::env_lines;

/// Variables by name, as in an environment.
pub type Variables = BTreeMap<String, String>;

/// The compose file, and the settings of the import.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name of the file, for the first line of the configuration.
    pub name: &'a str,
    pub text: &'a str,
    /// The folder that relative paths start from, as an absolute path without a slash at its end.
    pub folder: &'a str,
    /// The values that replace `${NAME}`.
    pub variables: &'a Variables,
    /// Whether to write `follow = true`, so that compose goes on starting the containers.
    pub follow: bool,
    /// The folder of the env files with secrets. With `None` a comment only names the secrets.
    pub secrets: Option<&'a str>,
}

/// A configuration, and the secrets that must not stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The configuration as TOML.
    pub config: String,
    /// The lines `NAME=value` of each env file, by the name of the file, for the folder
    /// [`Source::secrets`].
    pub secrets: BTreeMap<String, String>,
}

/// Imports a compose file.
///
/// # Errors
/// The text is not YAML or not a compose file, or it has no service that a front door would serve.
pub fn compose(source: &Source<'_>) -> Result<Imported, ImportFault> {
    let document = yaml::read(source.text)?;
    let project = compose::Project::read(source, document)?;
    let plan = assemble::from_project(source, &project)?;
    Ok(write::write(&plan))
}

/// Imports the environment of the script for Docker Cloud.
///
/// # Errors
/// `BLUE_URL` or `GREEN_URL` is missing ([`ImportFault::NoScript`]), or is not a URL with a host
/// ([`ImportFault::BadUrl`]).
pub fn script(variables: &Variables) -> Result<Imported, ImportFault> {
    Ok(write::write(&script::plan(variables)?))
}
