//! The networks of services, as their engines know them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use crate::config::{self, Config, Upstream};

use super::Engine;

/// How long all engines together may take to answer. An engine that does not answer is not judged here.
const ANSWERS_MAX: Duration = Duration::from_secs(3);
const AT_ONCE: usize = 8;

/// Warnings about networks that an engine does not have, each with its key. A release would fail there. An
/// engine that can't be reached is left out.
pub async fn missing_networks(config: &Config) -> Vec<String> {
    let mut asked = BTreeSet::new();
    let mut questions = Vec::new();
    for service in &config.services {
        let Upstream::Docker { engine: docker, follow: false, .. } = &service.upstream else { continue };
        for network in docker.all_networks().filter(|network| !is_built_in(network)) {
            for engine in &docker.engines {
                if asked.insert((service.name.to_string(), network.to_owned(), engine.url.clone())) {
                    let key = format!("services.{}.upstream", service.name);
                    questions.push((key, network.to_owned(), engine.clone()));
                }
            }
        }
    }
    let answers = stream::iter(questions)
        .map(|(key, network, engine)| async move {
            let name = engine.url.clone();
            is_missing(&network, engine)
                .await
                .then(|| format!("{key}.network: {name} has no network \"{network}\": a release would fail"))
        })
        .buffered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect();
    tokio::time::timeout(ANSWERS_MAX, answers).await.unwrap_or_default()
}

/// The networks that every engine has.
fn is_built_in(network: &str) -> bool {
    matches!(network, "bridge" | "host" | "none" | "default")
}

async fn is_missing(network: &str, engine: config::Engine) -> bool {
    let engine = Engine::new(engine);
    let Ok(client) = engine.client().await else { return false };
    let inspected = client.inspect_network(network, None).await;
    matches!(inspected, Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }))
}
