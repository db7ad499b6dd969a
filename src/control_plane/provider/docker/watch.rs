//! What an engine says of its containers, as it happens: its events, a look at everything after
//! each break, and one now and then, since no stream of events is to be trusted for ever.

use std::collections::{BTreeMap, HashMap};
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

/// Pauses between two attempts to reach an engine.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often everything is looked at although nothing was heard.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// What began before the engine took our subscription is seen at this second look.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
/// An engine that takes longer to tell what it has is away.
const LOOK_MAX: Duration = Duration::from_secs(15);
/// Looks of a start: traffic waits for them.
const FIRST_MAX: Duration = Duration::from_secs(5);

/// What changes whether a container serves. Health checks of containers alone are a thousand
/// events an hour.
const ACTIONS: [&str; 9] =
    ["create", "start", "restart", "die", "oom", "stop", "pause", "unpause", "destroy"];

/// An engine as it is now. The last one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineReport {
    /// Its URL.
    pub engine: String,
    /// Where its host's ports are reached.
    pub host: IpAddr,
    /// All that was asked for, running or not, by id. As last seen, while it is away.
    pub containers: Arc<BTreeMap<String, Container>>,
    /// Why it does not answer.
    pub away: Option<String>,
}

/// Watches one engine until it is dropped.
#[derive(Debug)]
pub struct EngineWatch {
    task: JoinHandle<()>,
}

impl EngineWatch {
    /// Starts on the current runtime. `all`: also containers that our labels say nothing of.
    #[must_use]
    pub fn start(engine: config::Engine, all: bool, news: mpsc::Sender<EngineReport>) -> Self {
        let watcher = Watcher::new(Engine::new(engine), all, news);
        Self { task: tasks::spawn("engine watch", watcher.run()) }
    }

    /// One look, now: for a start, before traffic is taken. An engine that does not answer within
    /// 5 s is told as away.
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
    reported: Option<EngineReport>,
}

/// Nobody listens any more.
struct Unheard;

impl Watcher {
    fn new(engine: Engine, all: bool, news: mpsc::Sender<EngineReport>) -> Self {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { engine, all, news, host, containers: Arc::default(), reported: None }
    }

    async fn run(mut self) {
        let mut pause = PAUSE_MIN;
        loop {
            let began = Instant::now();
            let Ok(why) = self.listen().await else { return };
            // A stream that breaks after a good while is tried again at once, and said only then.
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

    /// Looks and listens until something breaks: `Ok` says what.
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
                // Whatever was said is taken before anything is looked up anew.
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

    /// Looks at everything.
    async fn look(&mut self) -> Result<(), DockerFault> {
        self.host = self.engine.host().await?;
        let marked = [labels::SERVICE.to_owned()];
        let found = list(&self.engine, if self.all { &[] } else { &marked }).await?;
        let found = found.into_iter().filter(|container| self.concerns(container));
        self.containers = Arc::new(found.map(|container| (container.id.clone(), container)).collect());
        Ok(())
    }

    fn concerns(&self, container: &Container) -> bool {
        container.marks.is_some() || (self.all && container.virtual_host.is_some())
    }

    /// Takes an event. What ends a container is told before anything is asked: its endpoint must get
    /// no more requests.
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
        let containers = Arc::make_mut(&mut self.containers);
        match found {
            Some(container)
                if container.marks.is_some() || (self.all && container.virtual_host.is_some()) =>
            {
                containers.insert(id, container);
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
