//! Containers that engines run: images, sets of containers, and what an engine says of them.
//!
//! A **set** is what one release created: containers of one color, named and labeled by service,
//! color, release and digest (`labels`). Everything that is done to containers is done to the set of
//! a release, found by its labels alone, so that a crash at any point leaves nothing that is not found
//! again. What is decided here without an engine is in pure functions: names and labels, what a
//! container is created from (`spec`), where one is reached (`container`), whose it is (`place`).

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
pub use upstream::ServiceEngines;
pub use watch::{EngineReport, EngineWatch};
