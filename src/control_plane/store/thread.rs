//! The thread that owns the store's connection, and the queue to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::clock;
use crate::model::Tick;

use super::StoreFault;
use super::keeper::Keeper;

/// How long a call waits for the disk before it is told as a fault: a revert must not wait for a
/// disk that hangs.
pub const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Calls that wait for the store's thread; the next one waits for a place.
const QUEUE_MAX: usize = 256;
/// What [`StoreThread::since`] reads while the thread has nothing to do.
const IDLE: i64 = i64::MIN;

type Job = Box<dyn FnOnce(&mut Keeper) + Send>;

/// Which way a call goes, for its fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Read,
    Write,
}

impl Way {
    fn fault(self, why: String) -> StoreFault {
        match self {
            Self::Read => StoreFault::Read(why),
            Self::Write => StoreFault::Write(why),
        }
    }
}

/// Dropping it finishes what is under way, and returns when the folder is let go of.
#[derive(Debug)]
pub(crate) struct StoreThread {
    /// `None` only while it is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Since when the thread has been at one job ([`IDLE`]: it is not).
    since: Arc<AtomicI64>,
    /// [`ANSWER_MAX`], but in tests.
    pub(crate) patience: Duration,
}

impl StoreThread {
    /// Starts with an open store. `copier` reads its file meanwhile; the folder is held until that
    /// has ended too.
    pub(crate) fn start(mut keeper: Keeper, copier: Option<JoinHandle<()>>) -> Result<Self, StoreFault> {
        let shown = keeper.folder().shown();
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE_MAX);
        let since = Arc::new(AtomicI64::new(IDLE));
        let busy = Arc::clone(&since);
        let work = move || {
            while let Some(job) = queue.blocking_recv() {
                busy.store(clock::now().0, Ordering::Relaxed);
                job(&mut keeper);
                busy.store(IDLE, Ordering::Relaxed);
            }
            if let Some(copier) = copier
                && copier.join().is_err()
            {
                tracing::error!(folder = %keeper.folder().shown(), "the store's copier has panicked");
            }
        };
        let thread = Builder::new()
            .name("store".into())
            .spawn(work)
            .map_err(|why| StoreFault::Open { path: shown, why: why.to_string() })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), since, patience: ANSWER_MAX })
    }

    /// Has the thread do something, and waits for it within bounds. What nobody waits for any more
    /// when its turn comes is not done.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        way: Way,
        work: impl FnOnce(&mut Keeper) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let hangs = || way.fault(format!("no answer from the disk for {} s", self.patience.as_secs_f32()));
        let ended = || way.fault("its thread has ended".into());
        // While it is stuck nobody else waits out the whole time to learn the same.
        let since = self.since.load(Ordering::Relaxed);
        if since != IDLE && clock::now().since(Tick(since)) > self.patience {
            return Err(hangs());
        }
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |keeper| {
            if !reply.is_closed() {
                let _ = reply.send(work(keeper));
            }
        });
        let round = async {
            let jobs = self.jobs.as_ref().ok_or_else(ended)?;
            jobs.send(job).await.map_err(|_| ended())?;
            answer.await.map_err(|_| ended())?
        };
        tokio::time::timeout(self.patience, round).await.unwrap_or_else(|_| Err(hangs()))
    }
}

impl Drop for StoreThread {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; nothing is left to be done about it.
            let _ = thread.join();
        }
    }
}
