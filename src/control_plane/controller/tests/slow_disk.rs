//! A disk whose every write takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::deploy;
use super::rig::{Origin, Rig};
use crate::judge::Bucket;
use crate::model::{Color, ServiceName};
use crate::release::StateName;
use crate::traffic::{ColorCounts, WorkerAsk, WorkerLink, WorkerReport};

/// Plays a worker whose requests to green all fail once `failing` is set.
fn worker(failing: &Arc<AtomicBool>) -> WorkerLink {
    let (ask, mut asked) = mpsc::channel(8);
    let failing = Arc::clone(failing);
    crate::tasks::spawn("worker", async move {
        while let Some(question) = asked.recv().await {
            match question {
                WorkerAsk::Acknowledge { reply } => drop(reply.send(())),
                WorkerAsk::Collect { reply } => drop(reply.send(report(failing.load(Ordering::SeqCst)))),
                WorkerAsk::Inflight { reply, .. }
                | WorkerAsk::DrainClose { reply, .. }
                | WorkerAsk::Cut { reply, .. } => drop(reply.send(0)),
                WorkerAsk::Shutdown { .. } => return,
            }
        }
    });
    WorkerLink { worker: 0, ask }
}

/// Two requests of a second, so that the judge needs several seconds.
fn report(failing: bool) -> WorkerReport {
    let mut bucket = Bucket::default();
    if failing {
        bucket.add(None, 0, 2);
    }
    let counts = ColorCounts { service: ServiceName::from("backend"), color: Color::Green, bucket };
    WorkerReport { colors: vec![counts], ..WorkerReport::default() }
}

/// Returns how long a bad candidate keeps the traffic on a disk whose writes take `delay`.
async fn revert_after(delay: Duration) -> Duration {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let failing = Arc::new(AtomicBool::new(false));
    let rig = Rig::start_with(&blue, &green, "", &[worker(&failing)]).await;
    rig.command(deploy("v2")).await.unwrap();
    rig.until("baking", |service| service.state == StateName::Baking).await;
    rig.store.slow(delay);
    failing.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    let back = async || (rig.table.load().services()[0].active == Color::Blue).then_some(());
    rig.until_some("the revert", back).await;
    let lasted = begun.elapsed();
    rig.store.slow(Duration::ZERO);
    rig.stop().await;
    lasted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_delays_a_revert_by_one_write_and_not_by_every_second() {
    let (fast, slow, hanging) = tokio::join!(
        revert_after(Duration::ZERO),
        revert_after(Duration::from_millis(900)),
        revert_after(Duration::from_secs(4)),
    );
    // One write may be under way when the judge decides. Then comes the revert's own, and the loop
    // waits for both together for 2 s at most.
    let most = fast + Duration::from_secs(3);
    assert!(slow < most && hanging < most, "{fast:?} without, {slow:?} and {hanging:?}");
}
