//! Tasks of the runtime whose panics are logged. A panic ends only its own task. Without a line in the log,
//! the program would go on without the work of that task, and no person would know. So `clippy.toml` refuses
//! a bare `tokio::spawn`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Runs a future as a task of the current runtime. A panic is logged with the task's name, and the handle
/// returns it as an error, as every handle of tokio does.
#[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(named(name, future))
}

/// Runs a future as a task of another runtime, by the rules of [`spawn`].
pub fn spawn_on<F>(runtime: &Handle, name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    runtime.spawn(named(name, future))
}

/// A future whose panic is logged with a name. It is for a set of tasks, which would not log a panic itself.
pub async fn named<F: Future>(name: &'static str, future: F) -> F::Output {
    // It is safe to assert unwind safety. A future shares data only behind locks that notice a panic, and
    // the panic goes on from here.
    match AssertUnwindSafe(future).catch_unwind().await {
        Ok(output) => output,
        Err(panic) => {
            tracing::error!(task = name, why = text(&*panic), "a task has panicked");
            resume_unwind(panic)
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<String>() {
        Some(text) => text,
        None => panic.downcast_ref::<&str>().copied().unwrap_or("no text"),
    }
}

#[cfg(test)]
mod tests;
