//! Commands of hooks, in containers beside those of the release.

use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::TryStreamExt as _;

use crate::site::{PATIENCE, Seen, Setup, Site, seen, shared};
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::image::Recipe;

/// A release is aborted while its `pre_promote` command runs: the command is told to stop, and its container is gone,
/// as those of the release are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aborted_release_leaves_no_command_behind() {
    if !available() {
        return;
    }
    let more = "[services.aborted.hooks]\n\
                pre_promote = { command = [\"/greenlight\", \"sample-app\", \"--no-stdin-exit\"], timeout = \"9m\" }\n";
    let upstream = "publish = \"loopback\"\nstop_timeout = \"1s\"";
    let site = Site::open(&Setup { upstream, more, ..Setup::new("aborted", shared().await) }).await;
    site.push("v1", &Recipe::new("v1")).await;
    let release = site.release(&site.image("v1")).await;
    let running = commands(&site, "the command runs", |all| all.iter().any(|one| one.running)).await;
    assert_eq!((running.len(), site.view().await.state.as_str()), (1, "checking"), "{running:?}");
    site.say("POST", "abort").await;
    let ended = site.until_final(&release).await;
    assert_eq!(ended.state.as_str(), "cancelled", "{ended:?}");
    commands(&site, "its container is gone", <[Seen]>::is_empty).await;
    site.until_containers("those of the release are gone", <[Seen]>::is_empty).await;
    assert_eq!(first_signal(&site, &running[0].id).await, "15", "SIGTERM comes first");
}

/// Waits until the containers of the service's commands are as wanted.
async fn commands(site: &Site, what: &str, wanted: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
    let label = [format!("greenlight.command={}", site.service)];
    let begun = tokio::time::Instant::now();
    loop {
        let found = seen(&site.api, &label).await;
        if wanted(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {found:?}\n{}", site.door.tail());
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
}

/// The first signal that a container was sent, by the engine's own story.
async fn first_signal(site: &Site, container: &str) -> String {
    let filters = std::collections::HashMap::from([
        ("container".to_owned(), vec![container.to_owned()]),
        ("event".to_owned(), vec!["kill".to_owned()]),
    ]);
    let options = EventsOptionsBuilder::new().since("1").filters(&filters).build();
    let mut events = Box::pin(site.api.events(Some(options)));
    let event = tokio::time::timeout(PATIENCE, events.try_next()).await.expect("a signal was sent");
    event.unwrap().unwrap().actor.unwrap().attributes.unwrap()["signal"].clone()
}
