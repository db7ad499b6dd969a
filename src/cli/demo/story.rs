//! The two acts of the demo: a good release, then a bad one.

use std::path::PathBuf;
use std::time::Duration;

use super::cast::Cast;
use super::door::{Admin, Door};
use super::load::{Load, Plan};
use super::moment::Moment;
use super::rundown::Rundown;
use super::screen::Screen;
use super::stage::Stage;
use super::tally::Counts;
use super::trouble::Trouble;
use crate::control_plane::controller::ReleaseView;
use crate::model::Color;
use crate::release::StateName;

const CONNECTIONS: u32 = 10;
const RATE: f64 = 100.0;
/// Requests before the first release. With fewer the judge's baseline would say less about the usual errors,
/// and the judge would need more time for its verdict.
const REQUESTS_BEFORE: u64 = 800;
/// How long the bad release works without errors after the switch.
const GOOD_TIME: Duration = Duration::from_secs(4);
/// The share of requests that the bad release fails after that time.
const BAD_SHARE: f64 = 0.3;
/// The longest time for one wait of an act. A wait that takes longer is a fault.
const ACT_LIMIT: Duration = Duration::from_mins(1);
const READY_LIMIT: Duration = Duration::from_secs(15);
const STOP_LIMIT: Duration = Duration::from_secs(40);

/// The result of the demo.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub good: ReleaseView,
    pub bad: ReleaseView,
    /// The number of requests that were lost between the start of the good release and its end.
    pub good_lost: u64,
    pub counts: Counts,
    /// The file with the explanation of the bad release.
    pub record: PathBuf,
}

impl Outcome {
    /// Whether the demo kept its promise: the good release succeeded without a lost request, and the bad one
    /// was reverted.
    #[must_use]
    pub(super) fn is_as_promised(&self) -> bool {
        self.good.state == StateName::Succeeded
            && self.good_lost == 0
            && self.bad.state == StateName::Reverted
    }
}

/// The running processes, the load and the rundown.
#[derive(Debug)]
pub(super) struct Story {
    pub stage: Stage,
    pub door: Door,
    pub rundown: Rundown,
    cast: Cast,
}

impl Story {
    /// Starts the first color, the front door and the load.
    pub(super) async fn begin(stage: Stage, exe: PathBuf, plain: bool) -> Result<Self, Trouble> {
        let mut cast = Cast::new(exe.clone(), stage.upstreams.clone());
        cast.enter(Color::Blue, "v1", true).await?;
        let log = stage.folder.join("greenlight.log");
        let mut door = Door::start(&exe, &stage.config, &log, stage.admin)?;
        door.ready(READY_LIMIT).await?;
        let load = Load::start(&Plan {
            target: stage.listener,
            host: stage.host.clone(),
            path: "/".to_owned(),
            connections: CONNECTIONS,
            rate: Some(RATE),
            timeout: Duration::from_secs(10),
        });
        let admin = Admin { address: stage.admin };
        let rundown = Rundown::new(admin, &stage.service, load, Screen::open(plain));
        Ok(Self { stage, door, rundown, cast })
    }

    /// Plays both releases and returns their result.
    pub(super) async fn play(&mut self) -> Result<Outcome, Trouble> {
        self.rundown.headline(&format!("v1 on blue serves {RATE} requests a second"));
        self.rundown
            .until("the first requests", ACT_LIMIT, |moment| moment.counts.total() >= REQUESTS_BEFORE)
            .await?;
        let (good, good_lost) = self.good_release().await?;
        let bad = self.bad_release().await?;
        let record = self.keep_record(&bad.id).await?;
        Ok(Outcome { good, bad, good_lost, counts: self.rundown.load.counts(), record })
    }

    async fn good_release(&mut self) -> Result<(ReleaseView, u64), Trouble> {
        let before = self.rundown.load.counts();
        self.rundown
            .headline("a good release: v2 starts on green, and gets traffic once it has been healthy");
        self.cast.enter(Color::Green, "v2", false).await?;
        let id = self.door.admin.deploy(&self.stage.service, "v2", true).await?;
        let moment =
            self.rundown.until("the good release's end", ACT_LIMIT, |moment| is_over(moment, &id)).await?;
        let lost = moment.counts.lost() - before.lost();
        let release = self.door.admin.release(&id).await?;
        self.rundown.happened(format!("the good release lost {lost} requests"));
        Ok((release, lost))
    }

    async fn bad_release(&mut self) -> Result<ReleaseView, Trouble> {
        self.rundown.headline("a bad release: v3 starts on blue; it is well at first");
        self.cast.enter(Color::Blue, "v3", false).await?;
        let id = self.door.admin.deploy(&self.stage.service, "v3", true).await?;
        let moment = self
            .rundown
            .until("the bad release's switch", ACT_LIMIT, |moment| {
                is_over(moment, &id) || state_of(moment, &id) == Some(StateName::Baking)
            })
            .await?;
        if !is_over(&moment, &id) {
            self.rundown.during(GOOD_TIME).await?;
            self.rundown.headline(&format!(
                "v3 now fails {:.0} % of its requests; greenlight is not told",
                BAD_SHARE * 100.0
            ));
            self.cast.fail(Color::Blue, BAD_SHARE).await?;
            self.rundown.until("the bad release's end", ACT_LIMIT, |moment| is_over(moment, &id)).await?;
        }
        self.rundown.headline("the active color serves on; no person did anything");
        self.rundown.during(Duration::from_secs(3)).await?;
        self.door.admin.release(&id).await
    }

    /// Writes the explanation of a release into a JSON file beside the log, and returns the path.
    async fn keep_record(&self, release: &str) -> Result<PathBuf, Trouble> {
        let record: serde_json::Value =
            self.door.admin.json("GET", &format!("/v1/releases/{release}/explain"), None).await?;
        let path = self.stage.folder.join(format!("{release}.json"));
        std::fs::write(&path, format!("{record:#}\n"))
            .map_err(|source| Trouble::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// Ends the load, then the front door.
    pub(super) async fn end(self) -> Result<(), Trouble> {
        let Self { rundown, mut door, .. } = self;
        rundown.load.stop().await;
        door.terminate(STOP_LIMIT).await.map(|_| ())
    }
}

fn state_of(moment: &Moment, release: &str) -> Option<StateName> {
    let last = moment.service.as_ref()?.release.as_ref()?;
    (last.id == release).then_some(last.state)
}

/// Whether the release is in a final state, or degraded, in which it waits for a person.
fn is_over(moment: &Moment, release: &str) -> bool {
    state_of(moment, release).is_some_and(|state| state.is_final() || state == StateName::Degraded)
}
