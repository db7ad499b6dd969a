//! The reports of an engine about its containers, as changes happen. The engine is listened to for events.
//! All containers are listed after each break, and from time to time, because a stream of events can't be
//! trusted forever.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::config;
use crate::tasks;

use super::container::Container;
use super::fault::Doing;
use super::upstream::{inspect, list};
use super::{DockerFault, Engine, labels};

/// The shortest and the longest pause between two attempts to reach an engine.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often all containers are listed although no event was heard.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// When all containers are listed for the second time. Changes before the engine took the subscription are
/// seen then.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
/// How long an engine may take to list its containers. After that it counts as away.
const LOOK_MAX: Duration = Duration::from_secs(15);
/// How long the listing at the start may take, because traffic waits for it.
const FIRST_MAX: Duration = Duration::from_secs(5);

/// The events that change whether a container serves. All events would be too many; health checks of
/// containers alone are a thousand events an hour.
const ACTIONS: [&str; 9] =
    ["create", "start", "restart", "die", "oom", "stop", "pause", "unpause", "destroy"];

/// The present state of an engine. A newer report replaces an older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineReport {
    /// The engine's URL.
    pub engine: String,
    /// The address at which the ports of its host are reached.
    pub host: IpAddr,
    /// All containers that were asked for, running or not, by id. While the engine is away, they are as
    /// they were last seen.
    pub containers: Arc<BTreeMap<String, Container>>,
    /// Why it does not answer. `None` if it does.
    pub away: Option<String>,
}

/// Watches one engine until it is dropped.
#[derive(Debug)]
pub struct EngineWatch {
    task: JoinHandle<()>,
}

impl EngineWatch {
    /// Starts the watch on the current runtime. With `all`, it also reports containers without greenlight's
    /// labels.
    #[must_use]
    pub fn start(engine: config::Engine, all: bool, news: mpsc::Sender<EngineReport>) -> Self {
        let watcher = Watcher::new(Engine::new(engine), all, news);
        Self { task: tasks::spawn("engine watch", watcher.run()) }
    }

    /// Lists the containers once, now. This is for a start, before traffic is taken. An engine that does
    /// not answer within 5 s is reported as away.
    pub async fn look(engine: config::Engine, all: bool) -> EngineReport {
        let (news, _unheard) = mpsc::channel(1);
        let mut watcher = Watcher::new(Engine::new(engine), all, news);
        let looked = tokio::time::timeout(FIRST_MAX, watcher.look()).await;
        let away = match looked {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why.to_string()),
            Err(_) => Some(watcher.engine.away("no answer within 5 s").to_string()),
        };
        watcher.news(away)
    }
}

impl Drop for EngineWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Watcher {
    engine: Engine,
    all: bool,
    news: mpsc::Sender<EngineReport>,
    host: IpAddr,
    containers: Arc<BTreeMap<String, Container>>,
    /// The containers of which a `stop` was heard since their last start.
    stopped: BTreeSet<String>,
    reported: Option<EngineReport>,
}

/// The receiver of the reports is gone.
struct Unheard;

impl Watcher {
    fn new(engine: Engine, all: bool, news: mpsc::Sender<EngineReport>) -> Self {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { engine, all, news, host, containers: Arc::default(), stopped: BTreeSet::new(), reported: None }
    }

    async fn run(mut self) {
        let mut pause = PAUSE_MIN;
        loop {
            let began = Instant::now();
            let Ok(why) = self.listen().await else { return };
            self.forget_stops();
            // If a stream breaks after a good while, the engine is asked again at once. The break is
            // reported only if that fails too.
            let broke =
                began.elapsed() > PAUSE_MAX && self.reported.as_ref().is_some_and(|last| last.away.is_none());
            if broke {
                tracing::info!(engine = self.engine.name(), %why, "the engine's events ended: asked again");
                pause = PAUSE_MIN;
                continue;
            }
            if self.tell(Some(why.to_string())).await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Lists and listens until something breaks. `Ok` says what broke.
    async fn listen(&mut self) -> Result<DockerFault, Unheard> {
        let client = match self.engine.client().await {
            Ok(client) => client,
            Err(why) => return Ok(why),
        };
        let mut filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("event".to_owned(), ACTIONS.map(str::to_owned).to_vec()),
        ]);
        if !self.all {
            filters.insert("label".to_owned(), vec![labels::SERVICE.to_owned()]);
        }
        let mut events =
            Box::pin(client.events(Some(EventsOptionsBuilder::default().filters(&filters).build())));
        let now = Instant::now();
        let mut second = Some(now + LOOK_AGAIN);
        let mut looks = interval_at(now, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let again = second;
            tokio::select! {
                // Events that have arrived are handled before the containers are listed again.
                biased;
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        if let Err(why) = self.take(&event).await? {
                            return Ok(why);
                        }
                        continue;
                    }
                    Some(Err(error)) => return Ok(self.engine.fault(Doing::Other("listening to events"), &error)),
                    None => return Ok(self.engine.away("its stream of events ended")),
                },
                _ = looks.tick() => {}
                () = async { tokio::time::sleep_until(again.unwrap_or(now)).await }, if again.is_some() => second = None,
            }
            match tokio::time::timeout(LOOK_MAX, self.look()).await {
                Ok(Ok(())) => self.tell(None).await?,
                Ok(Err(why)) => return Ok(why),
                Err(_) => return Ok(self.engine.away("no answer within 15 s")),
            }
        }
    }

    /// Lists all containers.
    async fn look(&mut self) -> Result<(), DockerFault> {
        self.host = self.engine.host().await?;
        let marked = [labels::SERVICE.to_owned()];
        let found = list(&self.engine, if self.all { &[] } else { &marked }).await?;
        let found = found.into_iter().filter(|container| self.concerns(container));
        self.containers = Arc::new(found.map(|container| (container.id.clone(), container)).collect());
        self.mark_stops();
        Ok(())
    }

    /// Marks the containers of which a `stop` was heard.
    fn mark_stops(&mut self) {
        if self.stopped.is_empty() {
            return;
        }
        let containers = Arc::make_mut(&mut self.containers);
        self.stopped.retain(|id| containers.contains_key(id));
        for (id, container) in containers {
            container.stopped = self.stopped.contains(id);
        }
    }

    /// An engine that ends stops its containers too, so what was heard from it says nothing about a person.
    fn forget_stops(&mut self) {
        if self.stopped.is_empty() {
            return;
        }
        self.stopped.clear();
        for container in Arc::make_mut(&mut self.containers).values_mut() {
            container.stopped = false;
        }
    }

    fn concerns(&self, container: &Container) -> bool {
        container.marks.is_some() || (self.all && container.virtual_host.is_some())
    }

    /// Handles an event. If it ends a container, this is reported before the engine is asked about the
    /// container, because its endpoint must get no more requests.
    async fn take(&mut self, event: &EventMessage) -> Result<Result<(), DockerFault>, Unheard> {
        let action = event.action.as_deref().unwrap_or_default();
        let Some(id) = event.actor.as_ref().and_then(|actor| actor.id.clone()) else { return Ok(Ok(())) };
        let nanos = event.time_nano.and_then(|nanos| u128::try_from(nanos).ok());
        let ends = |container: &Container| container.running && !container.started_after(nanos);
        if matches!(action, "die" | "stop" | "pause" | "destroy")
            && self.containers.get(&id).is_some_and(ends)
        {
            let containers = Arc::make_mut(&mut self.containers);
            containers.entry(id.clone()).and_modify(|container| container.running = false);
            self.tell(None).await?;
        }
        let found = match tokio::time::timeout(LOOK_MAX, inspect(&self.engine, &id)).await {
            Ok(Ok(found)) => found,
            Ok(Err(why)) => return Ok(Err(why)),
            Err(_) => return Ok(Err(self.engine.away("no answer within 15 s"))),
        };
        match action {
            "stop" => {
                self.stopped.insert(id.clone());
            }
            "start" | "restart" | "destroy" => {
                self.stopped.remove(&id);
            }
            _ => {}
        }
        let containers = Arc::make_mut(&mut self.containers);
        match found {
            Some(container)
                if container.marks.is_some() || (self.all && container.virtual_host.is_some()) =>
            {
                let stopped = self.stopped.contains(&id);
                containers.insert(id, Container { stopped, ..container });
            }
            _ => {
                containers.remove(&id);
            }
        }
        self.tell(None).await?;
        Ok(Ok(()))
    }

    fn news(&self, away: Option<String>) -> EngineReport {
        EngineReport {
            engine: self.engine.name().to_owned(),
            host: self.host,
            containers: Arc::clone(&self.containers),
            away,
        }
    }

    async fn tell(&mut self, away: Option<String>) -> Result<(), Unheard> {
        let news = self.news(away);
        if self.reported.as_ref() == Some(&news) {
            return Ok(());
        }
        self.reported = Some(news.clone());
        self.news.send(news).await.map_err(|_| Unheard)
    }
}
