//! The options of a container that greenlight hands on to the engine and does not use itself.

use std::collections::BTreeMap;

/// What the engine does with a container, in the words of compose. An empty value leaves the choice to the
/// image and the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "options of the engine that do not depend on each other")]
pub struct ContainerOptions {
    /// Further networks that the containers join, beside the one in which they are reached.
    pub networks: Vec<String>,
    /// The program, in place of the image's ENTRYPOINT.
    pub entrypoint: Vec<String>,
    /// The arguments, in place of the image's CMD.
    pub command: Vec<String>,
    pub working_dir: Option<String>,
    pub hostname: Option<String>,
    /// Labels of a person's own. greenlight's own labels win.
    pub labels: BTreeMap<String, String>,
    /// Lines of `/etc/hosts`, as `NAME:ADDRESS`.
    pub extra_hosts: Vec<String>,
    pub dns: Vec<String>,
    pub dns_search: Vec<String>,
    pub dns_opt: Vec<String>,
    /// Folders in memory, by their path. The value has the options, such as `size=64m`.
    pub tmpfs: BTreeMap<String, String>,
    /// Limits by their name, as `SOFT:HARD` or one number for both.
    pub ulimits: BTreeMap<String, String>,
    pub sysctls: BTreeMap<String, String>,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub security_opt: Vec<String>,
    pub group_add: Vec<String>,
    /// Devices as `HOST[:CONTAINER[:RIGHTS]]`.
    pub devices: Vec<String>,
    pub init: bool,
    pub privileged: bool,
    /// Whether the container's own file system can't be written.
    pub read_only: bool,
    pub tty: bool,
    pub stdin_open: bool,
    /// In bytes.
    pub shm_size: Option<u64>,
    /// In bytes.
    pub memory_reservation: Option<u64>,
    /// Memory and swap together, in bytes.
    pub memory_swap: Option<u64>,
    pub pids_limit: Option<u32>,
    pub cpu_shares: Option<u32>,
    /// The cores that it may use, such as `0-3`.
    pub cpuset: Option<String>,
    pub ipc: Option<String>,
    pub pid: Option<String>,
    pub runtime: Option<String>,
}
