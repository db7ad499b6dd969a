#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::model::{Color, PerColor, ServiceName};

use super::lookup::{Ask, LOOKUPS_AT_ONCE, Lookups};
use super::{FixedProvider, FixedSource, ProviderUpdate};

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_millis(20);
/// So long that no second round comes within a test.
const NEVER: Duration = Duration::from_hours(1);

fn source(name: &str, blue: &[&str], green: &[&str]) -> FixedSource {
    let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    FixedSource {
        service: ServiceName::from(name),
        addresses: PerColor { blue: texts(blue), green: texts(green) },
    }
}

async fn next(updates: &mut mpsc::Receiver<ProviderUpdate>) -> (String, Vec<String>) {
    let update = tokio::time::timeout(PATIENCE, updates.recv()).await.expect("in time").expect("a provider");
    let ids = update.endpoints.iter().map(|endpoint| endpoint.id.to_string()).collect();
    (format!("{}/{}", update.service, update.color), ids)
}

/// The addresses of names, which the test changes as it goes. A name that is not listed fails.
#[derive(Clone)]
struct Names {
    known: Arc<Mutex<HashMap<&'static str, Vec<&'static str>>>>,
    asked: watch::Sender<u32>,
}

impl Names {
    fn new() -> Self {
        Self { known: Arc::default(), asked: watch::Sender::new(0) }
    }

    fn set(&self, name: &'static str, addresses: &[&'static str]) {
        self.known.lock().unwrap().insert(name, addresses.to_vec());
    }

    fn forget(&self, name: &'static str) {
        self.known.lock().unwrap().remove(name);
    }

    fn start(&self, every: Duration) -> (FixedProvider, mpsc::Receiver<ProviderUpdate>) {
        let names = self.clone();
        let ask: Ask = Arc::new(move |name: String| {
            let found = names.known.lock().unwrap().get(name.as_str()).cloned();
            let found: io::Result<Vec<SocketAddr>> = found
                .map(|list| list.iter().map(|text| text.parse().unwrap()).collect())
                .ok_or_else(|| io::Error::other("no such name"));
            names.asked.send_modify(|count| *count += 1);
            Box::pin(async move { found })
        });
        start(ask, PATIENCE, every)
    }

    /// Waits until names were looked up so many more times. The last answer may still be under way; those
    /// before it have been handled.
    async fn asked(&self, times: u32) {
        let mut asked = self.asked.subscribe();
        let enough = *asked.borrow() + times;
        let waited = tokio::time::timeout(PATIENCE, asked.wait_for(|count| *count >= enough));
        waited.await.expect("in time").unwrap();
    }
}

fn start(ask: Ask, patience: Duration, every: Duration) -> (FixedProvider, mpsc::Receiver<ProviderUpdate>) {
    let (sender, updates) = mpsc::channel(8);
    (FixedProvider::start_asking(sender, Lookups::new(ask, patience), every), updates)
}

#[tokio::test]
async fn literals_are_endpoints_sorted_each_once_and_without_a_look_up() {
    let names = Names::new();
    let (provider, mut updates) = names.start(NEVER);
    let blue = ["10.0.0.2:8080", "10.0.0.10:8080", "10.0.0.2:8080", "[::1]:8080"];
    provider.set_sources(vec![source("backend", &blue, &[])]);
    let (color, ids) = next(&mut updates).await;
    assert_eq!(color, "backend/blue");
    let sorted = ["backend/blue/10.0.0.2:8080", "backend/blue/10.0.0.10:8080", "backend/blue/[::1]:8080"];
    assert_eq!(ids, sorted);
    assert_eq!(next(&mut updates).await, ("backend/green".into(), vec![]));
    assert_eq!(*names.asked.borrow(), 0);
}

#[tokio::test]
async fn a_name_is_asked_again_and_only_changes_are_told() {
    let names = Names::new();
    names.set("app:80", &["10.0.0.1:80", "10.0.0.2:80"]);
    let (provider, mut updates) = names.start(EVERY);
    provider.set_sources(vec![source("backend", &["app:80", "10.0.0.9:80"], &["10.0.1.1:80"])]);
    assert_eq!(next(&mut updates).await.0, "backend/green", "literals wait for no name");
    let all = ["backend/blue/10.0.0.1:80", "backend/blue/10.0.0.2:80", "backend/blue/10.0.0.9:80"];
    assert_eq!(next(&mut updates).await.1, all);
    names.asked(5).await;
    assert!(updates.try_recv().is_err(), "the same again is no news");

    names.set("app:80", &["10.0.0.3:80", "10.0.0.2:80"]);
    let now = ["backend/blue/10.0.0.2:80", "backend/blue/10.0.0.3:80", "backend/blue/10.0.0.9:80"];
    assert_eq!(next(&mut updates).await.1, now);

    names.forget("app:80");
    names.asked(4).await;
    names.set("app:80", &[]);
    names.asked(4).await;
    assert!(updates.try_recv().is_err(), "a name that fails keeps its last addresses");
    names.set("app:80", &["10.0.0.3:80"]);
    assert_eq!(next(&mut updates).await.1, ["backend/blue/10.0.0.3:80", "backend/blue/10.0.0.9:80"]);
}

#[tokio::test]
async fn a_name_never_resolved_is_told_as_no_endpoint() {
    let names = Names::new();
    let (provider, mut updates) = names.start(EVERY);
    provider.set_sources(vec![source("backend", &["nowhere:80"], &["nowhere:81"])]);
    assert_eq!(next(&mut updates).await.1.len(), 0);
    assert_eq!(next(&mut updates).await.1.len(), 0);
    names.set("nowhere:80", &["10.0.0.1:80"]);
    assert_eq!(next(&mut updates).await, ("backend/blue".into(), vec!["backend/blue/10.0.0.1:80".into()]));
}

#[tokio::test]
async fn of_a_name_with_both_kinds_of_addresses_the_ipv4_ones_are_taken() {
    let names = Names::new();
    names.set("both:80", &["[::1]:80", "127.0.0.1:80"]);
    names.set("six:80", &["[::1]:80", "[::2]:80"]);
    let (provider, mut updates) = names.start(NEVER);
    provider.set_sources(vec![source("backend", &["both:80"], &["six:80"])]);
    let mut told = [next(&mut updates).await, next(&mut updates).await];
    told.sort();
    assert_eq!(told[0].1, ["backend/blue/127.0.0.1:80"]);
    assert_eq!(told[1].1, ["backend/green/[::1]:80", "backend/green/[::2]:80"]);
}

#[tokio::test]
async fn new_sources_are_resolved_at_once_and_only_what_changed_is_told() {
    let (provider, mut updates) = Names::new().start(NEVER);
    provider.set_sources(vec![source("one", &["10.0.0.1:80"], &[])]);
    assert_eq!(next(&mut updates).await.0, "one/blue");
    assert_eq!(next(&mut updates).await.0, "one/green");
    provider.set_sources(vec![source("one", &["10.0.0.1:80"], &["10.0.0.2:80"]), source("two", &[], &[])]);
    assert_eq!(next(&mut updates).await, ("one/green".into(), vec!["one/green/10.0.0.2:80".into()]));
    assert_eq!(next(&mut updates).await.0, "two/blue");
    assert_eq!(next(&mut updates).await.0, "two/green");
    // A service that was taken out and comes back is reported again.
    provider.set_sources(vec![source("three", &[], &[])]);
    assert_eq!(next(&mut updates).await.0, "three/blue");
    assert_eq!(next(&mut updates).await.0, "three/green");
    provider.set_sources(vec![source("two", &[], &[])]);
    assert_eq!(next(&mut updates).await.0, "two/blue");
    assert_eq!(next(&mut updates).await.0, "two/green");
    drop(provider);
    assert!(updates.recv().await.is_none(), "dropping it stops it");
}

#[tokio::test]
async fn a_resolver_that_hangs_holds_up_its_own_color_only_and_few_look_ups_are_under_way() {
    let under_way = Arc::new(Mutex::new(0_usize));
    let counter = Arc::clone(&under_way);
    let ask: Ask = Arc::new(move |name: String| {
        let counter = Arc::clone(&counter);
        Box::pin(async move {
            if name == "good:80" {
                return Ok(vec!["10.0.0.1:80".parse().unwrap()]);
            }
            *counter.lock().unwrap() += 1;
            std::future::pending().await
        })
    });
    let (provider, mut updates) = start(ask, EVERY, EVERY);
    let hanging: Vec<String> = (0..100).map(|index| format!("hangs{index}:80")).collect();
    let hanging: Vec<&str> = hanging.iter().map(String::as_str).collect();
    provider.set_sources(vec![source("backend", &["good:80"], &hanging)]);
    assert_eq!(next(&mut updates).await.1, ["backend/blue/10.0.0.1:80"]);
    assert_eq!(next(&mut updates).await, ("backend/green".into(), vec![]));
    let asked = *under_way.lock().unwrap();
    assert!((1..=LOOKUPS_AT_ONCE).contains(&asked), "{asked} of 100 under way");
}

#[tokio::test]
async fn the_system_resolves_localhost() {
    let source = source("backend", &["localhost:8080", "127.0.0.9:1"], &["name.invalid:80"]);
    let found = FixedProvider::resolve(&source).await;
    let ids: Vec<&str> = found[Color::Blue].iter().map(|endpoint| endpoint.id.as_str()).collect();
    assert_eq!(ids, ["backend/blue/127.0.0.1:8080", "backend/blue/127.0.0.9:1"]);
    assert!(found[Color::Green].is_empty());
}
