//! The thread that owns the store's connection, and the queue of calls to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::clock;
use crate::model::Tick;

use super::StoreFault;
use super::keeper::Keeper;

/// How long a call waits for the disk before it fails. A revert must not wait for a disk that
/// hangs.
pub const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How many calls may wait for the store's thread. A further call waits for a place in the queue.
const QUEUE_MAX: usize = 256;
/// The value of [`StoreThread::since`] while the thread has no job.
const IDLE: i64 = i64::MIN;

type Job = Box<dyn FnOnce(&mut Keeper) + Send>;

/// Whether a call reads or writes. It decides the kind of the call's fault.
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

/// The store's thread. Dropping this value finishes the calls that are under way, and returns when
/// the folder is released.
#[derive(Debug)]
pub(crate) struct StoreThread {
    /// `None` only while the value is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// The tick at which the thread began its present job, or [`IDLE`].
    since: Arc<AtomicI64>,
    /// How long a call waits. It is [`ANSWER_MAX`] except in tests.
    pub(crate) patience: Duration,
}

impl StoreThread {
    /// Starts the thread with an open store. `copier` reads the store's file meanwhile. The thread
    /// holds the folder until the copier has ended too. Fails with [`StoreFault::Open`] if the
    /// thread can't be started.
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

    /// Runs `work` on the thread and waits at most `patience` for its result. If the caller has
    /// stopped waiting by the time of the call's turn, the call is not carried out. Fails with the
    /// fault of `way` if the disk does not answer in time or the thread has ended.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        way: Way,
        work: impl FnOnce(&mut Keeper) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let hangs = || way.fault(format!("no answer from the disk for {} s", self.patience.as_secs_f32()));
        let ended = || way.fault("its thread has ended".into());
        // While one job is stuck, other callers learn it at once and do not wait for the whole
        // time.
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
            // A panic of the thread has been printed, and nothing is left to do about it.
            let _ = thread.join();
        }
    }
}
