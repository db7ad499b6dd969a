//! A worker of the front door that stands still: what an acknowledgement waits for. It is one thread, stopped from
//! outside as a debugger does it; the others go on.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// Goes on with the end of this value.
#[derive(Debug)]
pub(crate) struct StuckWorker {
    over: Option<SyncSender<()>>,
    // Only the thread that stopped it may let it go.
    tracer: Option<JoinHandle<()>>,
}

impl StuckWorker {
    /// Stops the first worker of this process; returns once it stands still.
    pub(crate) fn stop(process: u32) -> Self {
        let thread = worker(process);
        let (over, until_over) = sync_channel(1);
        let (stands, until_it_stands) = sync_channel(1);
        let tracer = std::thread::spawn(move || trace(thread, &stands, &until_over));
        until_it_stands.recv().expect("the worker can be stopped");
        Self { over: Some(over), tracer: Some(tracer) }
    }
}

fn worker(process: u32) -> Pid {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let named = |path: &std::path::Path| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "worker-0")
    };
    let found = threads.map(|entry| entry.unwrap().path()).find(|path| named(path));
    let path = found.expect("a worker's thread");
    Pid::from_raw(path.file_name().unwrap().to_str().unwrap().parse().unwrap())
}

fn trace(thread: Pid, stands: &SyncSender<()>, until_over: &Receiver<()>) {
    ptrace::seize(thread, Options::empty()).unwrap();
    ptrace::interrupt(thread).unwrap();
    waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
    stands.send(()).unwrap();
    // An error is the end of the other side: the same.
    let _ = until_over.recv();
    if ptrace::detach(thread, None).is_err() {
        // Its process was killed: the thread is ours to reap.
        let _ = waitpid(thread, Some(WaitPidFlag::__WALL));
    }
}

impl Drop for StuckWorker {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(tracer) = self.tracer.take() {
            let _ = tracer.join();
        }
    }
}
