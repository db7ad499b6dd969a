//! Reads a compose file (versions 1, 2, 3 and the Compose Specification) or a Docker Cloud stack file as
//! units.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::ports::{self, Port};
use super::volumes::{self, Place};
use super::yaml::{Table, pairs, text, text_of, texts};
use super::{ImportFault, Source, Variables, keys, quantity, variables};

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
    /// The name that the engine knows. `None` means the default network.
    pub network: Option<String>,
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
            .map(|(name, table)| unit(name, table, place, declared("networks"), source.variables))
            .collect();
        if units.is_empty() {
            return Err(ImportFault::NotCompose("it has no services".to_owned()));
        }
        Ok(Self { units, unset })
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

fn unit(name: &str, table: &Table, place: Place<'_>, networks: &Table, variables: &Variables) -> Unit {
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
    resources(&mut unit, table);
    unit.user = text_of(table, "user");
    unit.stop_signal = text_of(table, "stop_signal").map(|signal| signal_name(&signal));
    unit.stop_timeout =
        text_of(table, "stop_grace_period").and_then(|text| quantity::compose_duration(&text));
    unit.network = network(table, networks, place.project);
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
    unit.replicas = replicas.and_then(|text| text.parse().ok()).filter(|count| (1..=1000).contains(count));
    unit.memory_bytes = text_of(&limits, "memory")
        .or_else(|| text_of(table, "mem_limit"))
        .and_then(|text| quantity::compose_bytes(&text))
        .filter(|bytes| *bytes >= 4 << 20);
    unit.cpus = text_of(&limits, "cpus")
        .or_else(|| text_of(table, "cpus"))
        .and_then(|text| text.parse().ok())
        .filter(|cores: &f64| cores.is_finite() && *cores > 0.0);
}

/// The name of a signal in the form that greenlight takes (`SIGINT`). Compose also takes `2` and `INT`.
fn signal_name(signal: &str) -> String {
    const NUMBERS: [(&str, &str); 6] =
        [("1", "HUP"), ("2", "INT"), ("3", "QUIT"), ("9", "KILL"), ("10", "USR1"), ("15", "TERM")];
    let name = NUMBERS.iter().find(|(number, _)| *number == signal).map_or(signal, |(_, name)| name);
    format!("SIG{}", name.to_ascii_uppercase().trim_start_matches("SIG"))
}

/// The first network of the service, with the name that compose gives it. A `network_mode` of `host` or
/// `bridge` goes before it, and any other `network_mode` gives `None`.
fn network(table: &Table, networks: &Table, project: &str) -> Option<String> {
    if let Some(mode) = text_of(table, "network_mode") {
        return matches!(mode.as_str(), "host" | "bridge").then_some(mode);
    }
    let named = match table.get("networks") {
        Some(Value::Object(list)) => list.keys().next().cloned(),
        Some(list) => texts(list).into_iter().next(),
        None => None,
    };
    let name = named.unwrap_or_else(|| "default".to_owned());
    let declared = networks.get(&name).and_then(Value::as_object);
    let external =
        declared.and_then(|table| table.get("external")).filter(|value| **value != Value::Bool(false));
    let old_name = external.and_then(Value::as_object).and_then(|table| text_of(table, "name"));
    Some(match (declared.and_then(|table| text_of(table, "name")).or(old_name), external) {
        (Some(real), _) => real,
        (None, Some(_)) => name,
        (None, None) => format!("{project}_{name}"),
    })
}
