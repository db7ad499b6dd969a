//! Containers that engines run: images, sets of containers, and the reports of engines.
//!
//! A **set** is the containers that one release created. They are of one color, and are named and labeled
//! by service, color, release and digest (`labels`). All work on containers is done to the set of a
//! release, which is found by its labels alone. So a crash at any point leaves no container that is not
//! found again. Decisions that need no engine are in pure functions: names and labels, the request that
//! creates a container (`spec`), where a container is reached (`container`), and which service it belongs
//! to (`place`).

mod call_off;
mod command;
mod container;
pub(super) mod credentials;
mod engine;
mod evidence;
mod fault;
mod image;
mod labels;
mod place;
mod progress;
mod said;
mod set;
mod spec;
#[cfg(test)]
mod tests;
mod upstream;
mod watch;

pub use call_off::{CallOff, Caller, call_off};
pub use command::{CommandEnd, CommandRun, run_command};
pub use container::Container;
pub use engine::Engine;
pub use evidence::Witness;
pub use fault::DockerFault;
pub use labels::Marks;
pub use place::{Placed, Rules, names_host_only, place};
pub use set::Set;
pub use spec::check_env_files;
pub use upstream::ServiceEngines;
pub use watch::{EngineReport, EngineWatch};
