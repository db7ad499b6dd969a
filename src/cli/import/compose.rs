//! Reads a compose file (versions 1, 2, 3 and the Compose Specification) or a Docker Cloud stack file as
//! units.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::labels::settings as front_labels;
use super::options::{self, Options};
use super::ports::{self, Port};
use super::toml::quoted;
use super::volumes::{self, Place};
use super::yaml::{Table, pairs, text, text_of, texts};
use super::{ImportFault, Source, Variables, files, keys, quantity, variables};

/// One service of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unit {
    pub name: String,
    pub image: Option<String>,
    /// All variables, including those that are meant for the load balancer.
    pub env: Variables,
    /// Absolute paths of files that have to exist.
    pub env_file: Vec<String>,
    pub labels: Variables,
    pub ports: Vec<Port>,
    pub expose: Vec<u16>,
    pub links: Vec<String>,
    pub replicas: Option<u32>,
    pub healthcheck: Option<Table>,
    pub mounts: Vec<String>,
    pub memory_bytes: Option<u64>,
    pub cpus: Option<f64>,
    pub user: Option<String>,
    pub stop_signal: Option<String>,
    pub stop_timeout: Option<Duration>,
    /// The networks of the service. The first is the one in which it is reached.
    pub networks: Vec<Network>,
    /// Further keys of the upstream, with their values as TOML.
    pub options: Options,
    /// The settings that could not be carried over, and the reasons.
    pub notes: Vec<String>,
}

impl Unit {
    /// A setting for the load balancer. It is a variable, or else a label of the same name.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.env
            .get(name)
            .or_else(|| self.labels.get(name))
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The image without tag and digest.
    pub(crate) fn repository(&self) -> &str {
        let image = self.image.as_deref().unwrap_or_default();
        let image = image.split('@').next().unwrap_or_default();
        let from = image.rfind('/').map_or(0, |slash| slash + 1);
        let tag = image[from..].find(':').map_or(image.len(), |colon| from + colon);
        &image[..tag]
    }
}

/// A whole file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    pub units: Vec<Unit>,
    /// Variables that the file uses and that have no value.
    pub unset: BTreeSet<String>,
    /// Parts of the file outside its services that are not carried over, each with its path.
    pub notes: Vec<String>,
}

/// A network that a service joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// The name that the engine knows.
    pub name: String,
    /// Whether other projects are in it, so that compose does not make it.
    pub external: bool,
}

impl Project {
    pub(crate) fn read(source: &Source<'_>, mut document: Value) -> Result<Self, ImportFault> {
        let unset = variables::fill(&mut document, source.variables);
        let Value::Object(root) = document else {
            return Err(ImportFault::NotCompose("its top is not a table".to_owned()));
        };
        let empty = Table::new();
        // Version 1 and stack files have the services at the top level.
        let services = match root.get("services") {
            Some(Value::Object(services)) => services,
            Some(_) => return Err(ImportFault::NotCompose("services is not a table".to_owned())),
            None => &root,
        };
        let folder_name = source.folder.rsplit('/').next().unwrap_or_default();
        let project = text_of(&root, "name").unwrap_or_else(|| project_name(folder_name));
        let declared = |key: &str| root.get(key).and_then(Value::as_object).unwrap_or(&empty);
        let place = Place { folder: source.folder, project: &project, declared: declared("volumes") };
        let is_service = |name: &str, table: &Table| {
            root.contains_key("services")
                || (!name.starts_with("x-") && (table.contains_key("image") || table.contains_key("build")))
        };
        let units: Vec<Unit> = services
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_object()?)))
            .filter(|(name, table)| is_service(name, table))
            .map(|(name, table)| unit(name, table, &root, place, source.variables))
            .collect();
        if units.is_empty() {
            return Err(ImportFault::NotCompose("it has no services".to_owned()));
        }
        Ok(Self { units, unset, notes: top_level(&root) })
    }
}

/// The name of the project, as compose makes it from the name of the folder.
fn project_name(folder: &str) -> String {
    let name: String = folder
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
        .collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() { "default".to_owned() } else { name.to_owned() }
}

/// The notes about the top of a file that has its services beneath `services`.
fn top_level(root: &Table) -> Vec<String> {
    if !root.contains_key("services") {
        return Vec::new();
    }
    let mut notes = Vec::new();
    for (key, value) in root {
        let silent = matches!(key.as_str(), "services" | "version" | "name" | "secrets" | "configs");
        if silent || key.starts_with("x-") {
            continue;
        }
        if !matches!(key.as_str(), "networks" | "volumes") {
            notes.push(format!("{key}: has no counterpart here"));
            continue;
        }
        for (name, one) in value.as_object().into_iter().flatten() {
            let settings = one.as_object().into_iter().flatten();
            let settings =
                settings.filter(|(key, _)| !matches!(key.as_str(), "name" | "external" | "labels"));
            notes.extend(settings.map(|(setting, _)| {
                format!("{key}.{name}.{setting}: greenlight makes no {key}: compose has to make them first")
            }));
        }
    }
    notes
}

fn unit(name: &str, table: &Table, root: &Table, place: Place<'_>, variables: &Variables) -> Unit {
    let empty = Table::new();
    let networks = root.get("networks").and_then(Value::as_object).unwrap_or(&empty);
    let mut unit = Unit { name: name.to_owned(), ..Unit::default() };
    for (key, value) in table {
        unit.notes.extend(keys::not_carried(key, &text(value).unwrap_or_default()));
    }
    unit.image = text_of(table, "image");
    if table.contains_key("build") {
        let image = unit.image.get_or_insert_with(|| format!("{}-{name}:latest", place.project));
        unit.notes
            .push(format!("build: greenlight pulls images, it builds none: push {image} to a registry"));
    }
    environment(&mut unit, table, variables);
    env_files(&mut unit, table, place.folder);
    unit.labels = labels(table.get("labels"));
    if let Some(deploy) = table.get("deploy").and_then(Value::as_object) {
        unit.labels.extend(labels(deploy.get("labels")));
        unit.notes.extend(keys::of_deploy(deploy));
    }
    if unit.env.get("VIRTUAL_HOST").or_else(|| unit.labels.get("VIRTUAL_HOST")).is_none() {
        let (settings, notes) = front_labels(&unit.labels);
        unit.labels.extend(settings.into_iter().map(|(name, value)| (name.to_owned(), value)));
        unit.notes.extend(notes);
    }
    unit.ports = table.get("ports").map(ports::ports).unwrap_or_default();
    unit.expose = table.get("expose").map(ports::expose).unwrap_or_default();
    unit.links = table.get("links").map(texts).unwrap_or_default();
    unit.healthcheck = table.get("healthcheck").and_then(Value::as_object).cloned();
    if let Some(value) = table.get("volumes") {
        let (mounts, notes) = volumes::mounts(value, place);
        unit.mounts = mounts;
        unit.notes.extend(notes);
    }
    let (mounts, notes) = files::mounts(table, root, place);
    unit.mounts.extend(mounts);
    unit.notes.extend(notes);
    resources(&mut unit, table);
    let (options, notes) = options::options(table);
    unit.options.extend(options);
    unit.notes.extend(notes);
    unit.user = text_of(table, "user");
    unit.stop_signal = text_of(table, "stop_signal").map(|signal| signal_name(&signal));
    unit.stop_timeout =
        text_of(table, "stop_grace_period").and_then(|text| quantity::compose_duration(&text));
    if let (None, true) = (unit.stop_timeout, table.contains_key("stop_grace_period")) {
        unit.notes.push("stop_grace_period: it is no duration".to_owned());
    }
    unit.networks = join(&mut unit.notes, table, networks, place.project);
    for note in &mut unit.notes {
        *note = format!("services.{name}.{note}");
    }
    unit
}

fn environment(unit: &mut Unit, table: &Table, variables: &Variables) {
    for (name, value) in table.get("environment").map(pairs).unwrap_or_default() {
        // Compose takes a variable without a value from its own environment.
        match value.or_else(|| variables.get(&name).cloned()) {
            Some(value) => {
                unit.env.insert(name, value);
            }
            None => unit.notes.push(format!(
                "environment: {name} has no value here: compose took it from its own environment"
            )),
        }
    }
}

/// Reads `env_file`, which is a path or `{ path, required }`, or a list of these.
fn env_files(unit: &mut Unit, table: &Table, folder: &str) {
    let Some(value) = table.get("env_file") else { return };
    let items = match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    for item in items {
        let (path, required) = match &item {
            Value::Object(table) => {
                (text_of(table, "path"), text_of(table, "required").as_deref() != Some("false"))
            }
            scalar => (text(scalar), true),
        };
        let Some(path) = path else { continue };
        let path =
            if path.starts_with('/') { path } else { format!("{folder}/{}", path.trim_start_matches("./")) };
        if required {
            unit.env_file.push(path);
        } else {
            unit.notes
                .push(format!("env_file: {path} need not be there for compose: add it to env_file if it is"));
        }
    }
}

fn labels(value: Option<&Value>) -> Variables {
    let listed = value.map(pairs).unwrap_or_default();
    listed.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect::<BTreeMap<_, _>>()
}

fn resources(unit: &mut Unit, table: &Table) {
    let deploy = table.get("deploy").and_then(Value::as_object);
    let limits = deploy
        .and_then(|deploy| deploy.get("resources")?.as_object()?.get("limits")?.as_object())
        .cloned()
        .unwrap_or_default();
    let replicas = deploy
        .and_then(|deploy| text_of(deploy, "replicas"))
        .or_else(|| text_of(table, "scale"))
        .or_else(|| text_of(table, "target_num_containers"));
    unit.replicas = replicas.as_ref().and_then(|text| text.parse().ok());
    unit.replicas = unit.replicas.filter(|count| (1..=1000).contains(count));
    note_unread(&mut unit.notes, "deploy.replicas", replicas.as_ref(), unit.replicas.is_some());
    let memory = text_of(&limits, "memory").or_else(|| text_of(table, "mem_limit"));
    unit.memory_bytes = memory.as_ref().and_then(|text| quantity::compose_bytes(text));
    unit.memory_bytes = unit.memory_bytes.filter(|bytes| (4 << 20..=16 << 40).contains(bytes));
    note_unread(&mut unit.notes, "mem_limit", memory.as_ref(), unit.memory_bytes.is_some());
    let cpus = text_of(&limits, "cpus").or_else(|| text_of(table, "cpus"));
    unit.cpus = cpus.as_ref().and_then(|text| text.parse().ok());
    unit.cpus = unit.cpus.filter(|cores| *cores > 0.0 && *cores <= 4096.0);
    note_unread(&mut unit.notes, "cpus", cpus.as_ref(), unit.cpus.is_some());
    if let Some(pids) = text_of(&limits, "pids").filter(|text| text.parse::<u32>().is_ok_and(|n| n > 0)) {
        unit.options.insert("pids_limit", pids);
    }
    let reserved = deploy.and_then(|deploy| {
        text_of(deploy.get("resources")?.as_object()?.get("reservations")?.as_object()?, "memory")
    });
    let reserved = reserved.and_then(|text| quantity::compose_bytes(&text)).filter(|bytes| *bytes >= 6 << 20);
    if let Some(bytes) = reserved {
        unit.options.insert("memory_reservation", quoted(&quantity::show_bytes(bytes)));
    }
}

/// Notes a value that is there and could not be read.
fn note_unread(notes: &mut Vec<String>, key: &str, value: Option<&String>, was_read: bool) {
    if let (Some(value), false) = (value, was_read) {
        notes.push(format!("{key}: {value} has no counterpart here"));
    }
}

/// The name of a signal in the form that greenlight takes (`SIGINT`). Compose also takes `2` and `INT`.
fn signal_name(signal: &str) -> String {
    const NUMBERS: [(&str, &str); 6] =
        [("1", "HUP"), ("2", "INT"), ("3", "QUIT"), ("9", "KILL"), ("10", "USR1"), ("15", "TERM")];
    let name = NUMBERS.iter().find(|(number, _)| *number == signal).map_or(signal, |(_, name)| name);
    format!("SIG{}", name.to_ascii_uppercase().trim_start_matches("SIG"))
}

/// The networks of the service, with the names that compose gives them. A `network_mode` goes before them.
fn join(notes: &mut Vec<String>, table: &Table, networks: &Table, project: &str) -> Vec<Network> {
    if let Some(mode) = text_of(table, "network_mode") {
        if matches!(mode.as_str(), "host" | "bridge") {
            return vec![Network { name: mode, external: true }];
        }
        notes.push(format!("network_mode: {mode} has no counterpart here: name a network"));
        return Vec::new();
    }
    let mut names = match table.get("networks") {
        Some(Value::Object(list)) => {
            for (name, settings) in list {
                let settings = settings.as_object().into_iter().flatten();
                notes.extend(settings.map(|(key, _)| {
                    format!("networks.{name}.{key}: both colors are in the network at once, with addresses and names of their own")
                }));
            }
            list.keys().cloned().collect()
        }
        Some(list) => texts(list),
        None => Vec::new(),
    };
    if names.is_empty() {
        names.push("default".to_owned());
    }
    names.into_iter().map(|name| network(&name, networks, project)).collect()
}

fn network(name: &str, networks: &Table, project: &str) -> Network {
    let declared = networks.get(name).and_then(Value::as_object);
    let external =
        declared.and_then(|table| table.get("external")).filter(|value| **value != Value::Bool(false));
    let old_name = external.and_then(Value::as_object).and_then(|table| text_of(table, "name"));
    let real = declared.and_then(|table| text_of(table, "name")).or(old_name);
    let name = match (real, external) {
        (Some(real), _) => real,
        (None, Some(_)) => name.to_owned(),
        (None, None) => format!("{project}_{name}"),
    };
    Network { name, external: external.is_some() }
}
