//! The keys of a compose service that the engine understands, as keys of `[services.NAME.upstream]`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::quantity::{compose_bytes, compose_duration, show_bytes, show_duration};
use super::toml::{list, name as key_name, quoted};
use super::yaml::{Table, pairs, text, text_of, texts};
use crate::model::ulimit;

/// Keys of the configuration with their values as TOML, in the order in which they are written.
pub(crate) type Options = BTreeMap<&'static str, String>;

/// The keys that this file reads, besides those of `resources`.
pub(crate) const CARRIED: &[&str] = &[
    "cap_add",
    "cap_drop",
    "command",
    "cpu_shares",
    "cpuset",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "entrypoint",
    "extra_hosts",
    "group_add",
    "hostname",
    "init",
    "ipc",
    "logging",
    "mem_reservation",
    "memswap_limit",
    "pid",
    "pids_limit",
    "privileged",
    "read_only",
    "runtime",
    "security_opt",
    "shm_size",
    "stdin_open",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "working_dir",
];

/// Reads the options of one service. A value that the configuration would refuse gets a note instead.
pub(crate) fn options(table: &Table) -> (Options, Vec<String>) {
    let mut read = Read { options: Options::new(), notes: Vec::new() };
    for key in ["cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "group_add", "security_opt"] {
        if let Some(value) = table.get(key) {
            read.set(known(key), some_list(&texts(value)));
        }
    }
    for key in ["hostname", "ipc", "pid", "runtime", "cpuset"] {
        read.set(known(key), text_of(table, key).map(|text| quoted(&text)));
    }
    for key in ["init", "privileged", "read_only", "stdin_open", "tty"] {
        read.tried(known(key), key, text_of(table, key), |text| {
            text.parse::<bool>().ok().map(|flag| flag.to_string())
        });
    }
    for key in ["command", "entrypoint"] {
        let Some(value) = table.get(key).filter(|value| !value.is_null()) else { continue };
        read.tried(known(key), key, Some(value), |value| words(value).map(|words| list(&words)));
    }
    read.tried("working_dir", "working_dir", text_of(table, "working_dir"), |path| {
        path.starts_with('/').then(|| quoted(&path))
    });
    for (key, to) in [
        ("shm_size", "shm_size"),
        ("mem_reservation", "memory_reservation"),
        ("memswap_limit", "memory_swap"),
    ] {
        let least = if key == "shm_size" { 1 } else { 6 << 20 };
        read.tried(to, key, text_of(table, key), |text| {
            let bytes = compose_bytes(&text).filter(|bytes| (least..=16 << 40).contains(bytes));
            bytes.map(|bytes| quoted(&show_bytes(bytes)))
        });
    }
    for (key, range) in [("pids_limit", 1..=i64::from(u32::MAX)), ("cpu_shares", 2..=262_144)] {
        read.tried(known(key), key, text_of(table, key), |text| {
            let number = text.parse::<i64>().ok().filter(|number| range.contains(number));
            number.map(|number| number.to_string())
        });
    }
    tables(&mut read, table);
    logging(&mut read, table);
    (read.options, read.notes)
}

struct Read {
    options: Options,
    notes: Vec<String>,
}

impl Read {
    fn set(&mut self, key: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.options.insert(key, value);
        }
    }

    /// Sets a value as `spell` spells it, or notes one that the configuration can't have.
    fn tried<T>(
        &mut self,
        to: &'static str,
        key: &str,
        value: Option<T>,
        spell: impl FnOnce(T) -> Option<String>,
    ) {
        let Some(value) = value else { return };
        match spell(value) {
            Some(value) => self.set(to, Some(value)),
            None => self.notes.push(format!("{key}: its value has no counterpart here")),
        }
    }
}

/// The key of the same name.
fn known(key: &str) -> &'static str {
    CARRIED.iter().find(|known| **known == key).copied().unwrap_or_default()
}

fn some_list(texts: &[String]) -> Option<String> {
    let texts: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
    (!texts.is_empty()).then(|| list(&texts))
}

/// A command as compose takes it: a list, or a line that is split as a shell splits it. `None` if it can't be
/// split or is empty, which would mean the image's own.
fn words(value: &Value) -> Option<Vec<String>> {
    let words = match value {
        Value::Array(_) => texts(value),
        scalar => split(&text(scalar)?)?,
    };
    (!words.is_empty() && words.iter().all(|word| !word.is_empty())).then_some(words)
}

/// Splits a line into words, with the quotes of a shell. `None` if a quote has no end.
fn split(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().push(chars.next()?),
            (None, '"' | '\'') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn inline(pairs: &[(String, String)]) -> Option<String> {
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{} = {}", key_name(key), quoted(value))).collect();
    (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
}

fn tables(read: &mut Read, table: &Table) {
    // Compose also takes NAME=ADDRESS here.
    let hosts = table.get("extra_hosts").map(|value| match value {
        Value::Object(hosts) => {
            hosts.iter().filter_map(|(name, at)| Some(format!("{name}:{}", text(at)?))).collect()
        }
        other => texts(other).iter().map(|host| host.replacen('=', ":", 1)).collect::<Vec<_>>(),
    });
    read.set("extra_hosts", hosts.and_then(|hosts| some_list(&hosts)));
    let devices = table.get("devices").map(texts).unwrap_or_default();
    let (sound, odd): (Vec<_>, Vec<_>) = devices.into_iter().partition(|device| device.starts_with('/'));
    read.set("devices", some_list(&sound));
    read.notes.extend(odd.iter().map(|device| format!("devices: {device} is no device of the host")));
    let folders: Vec<(String, String)> = table
        .get("tmpfs")
        .map(texts)
        .unwrap_or_default()
        .iter()
        .map(|item| item.split_once(':').unwrap_or((item, "")))
        .map(|(path, options)| (path.to_owned(), options.to_owned()))
        .collect();
    read.set("tmpfs", inline(&folders));
    let sysctls = table.get("sysctls").map(pairs).unwrap_or_default();
    let sysctls: Vec<(String, String)> =
        sysctls.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    read.set("sysctls", inline(&sysctls));
    let mut limits = Vec::new();
    for (name, value) in table.get("ulimits").and_then(Value::as_object).into_iter().flatten() {
        let limit = match value {
            Value::Object(both) => {
                text_of(both, "soft").zip(text_of(both, "hard")).map(|(soft, hard)| format!("{soft}:{hard}"))
            }
            one => text(one),
        };
        match limit.filter(|limit| ulimit(limit).is_ok()) {
            Some(limit) => limits.push((name.clone(), limit)),
            None => read.notes.push(format!("ulimits.{name}: its value has no counterpart here")),
        }
    }
    read.set("ulimits", inline(&limits));
}

fn logging(read: &mut Read, table: &Table) {
    let Some(logging) = table.get("logging").and_then(Value::as_object) else { return };
    let driver = text_of(logging, "driver").unwrap_or_else(|| "json-file".to_owned());
    let options = logging.get("options").map(pairs).unwrap_or_default();
    let options: Vec<(String, String)> = options
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let options = inline(&options).map(|options| format!(", options = {options}")).unwrap_or_default();
    read.set("log", Some(format!("{{ driver = {}{options} }}", quoted(&driver))));
}

/// A compose `healthcheck` as the engine's own check. `None` if it has no command.
pub(crate) fn healthcheck(table: &Table) -> Option<String> {
    if text_of(table, "disable").as_deref() == Some("true") {
        return Some("{ command = [] }".to_owned());
    }
    let test = table.get("test")?;
    let command = match test {
        Value::Array(_) => {
            let words = texts(test);
            match words.first().map(String::as_str)? {
                "NONE" => Vec::new(),
                "CMD" => words[1..].to_vec(),
                "CMD-SHELL" => vec!["/bin/sh".to_owned(), "-c".to_owned(), words[1..].join(" ")],
                _ => return None,
            }
        }
        line => vec!["/bin/sh".to_owned(), "-c".to_owned(), text(line)?],
    };
    if command.iter().any(String::is_empty) {
        return None;
    }
    let mut parts = vec![format!("command = {}", list(&command))];
    for key in ["interval", "timeout", "start_period"] {
        let time = text_of(table, key).and_then(|text| compose_duration(&text));
        let time = time.filter(|time| time.as_millis() > 0);
        parts.extend(time.map(|time| format!("{key} = {}", quoted(&show_duration(time)))));
    }
    let retries = text_of(table, "retries").and_then(|text| text.parse::<u16>().ok());
    parts
        .extend(retries.filter(|count| (1..=1000).contains(count)).map(|count| format!("retries = {count}")));
    Some(format!("{{ {} }}", parts.join(", ")))
}
