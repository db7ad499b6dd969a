//! Reads `volumes` as the mounts that greenlight can make (`SOURCE:TARGET[:OPTIONS]`).

use serde_json::Value;

use super::yaml::{Table, text, text_of};

/// The surroundings of the service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The folder of the file, as an absolute path without a slash at its end.
    pub folder: &'a str,
    /// The project name of compose.
    pub project: &'a str,
    /// The top-level `volumes` of the file.
    pub declared: &'a Table,
}

/// The mounts, and notes about the volumes that could not be carried over.
pub(crate) fn mounts(value: &Value, place: Place<'_>) -> (Vec<String>, Vec<String>) {
    let (mut mounts, mut notes) = (Vec::new(), Vec::new());
    let Value::Array(items) = value else { return (mounts, notes) };
    for item in items {
        let mount = match item {
            Value::Object(table) => long(table, place),
            scalar => text(scalar).map_or_else(|| Err("volumes".to_owned()), |text| short(&text, place)),
        };
        match mount {
            Ok(mount) => mounts.push(mount),
            Err(note) => notes.push(note),
        }
    }
    (mounts, notes)
}

/// The absolute path of a file or folder that the file names. `None` for a path in a home folder.
pub(crate) fn host_path(path: &str, place: Place<'_>) -> Option<String> {
    let rest = path.trim_start_matches("./");
    match path {
        path if path.starts_with('/') => Some(path.to_owned()),
        path if path.starts_with('~') => None,
        _ => Some(format!("{}/{rest}", place.folder)),
    }
}

fn long(table: &Table, place: Place<'_>) -> Result<String, String> {
    let target = text_of(table, "target").unwrap_or_default();
    let kind = text_of(table, "type").unwrap_or_else(|| "volume".to_owned());
    let Some(source) = text_of(table, "source").filter(|_| matches!(kind.as_str(), "bind" | "volume")) else {
        return Err(format!(
            "volumes: {target} ({kind}, no named source): only named volumes and folders of the host are mounted"
        ));
    };
    let options = if text_of(table, "read_only").as_deref() == Some("true") { ":ro" } else { "" };
    Ok(format!("{}:{target}{options}", resolved(&source, place)?))
}

fn short(text: &str, place: Place<'_>) -> Result<String, String> {
    let Some((source, rest)) = text.split_once(':') else {
        return Err(format!("volumes: {text} (anonymous): give it a name, or leave it to the image"));
    };
    Ok(format!("{}:{rest}", resolved(source, place)?))
}

/// Makes a folder of the host absolute, and gives a named volume the name that compose gives it.
fn resolved(source: &str, place: Place<'_>) -> Result<String, String> {
    if source.starts_with('/') {
        return Ok(source.to_owned());
    }
    if let Some(rest) = source.strip_prefix("./") {
        return Ok(format!("{}/{rest}", place.folder).trim_end_matches('/').to_owned());
    }
    if source == "." {
        return Ok(place.folder.to_owned());
    }
    if source.starts_with("../") || source == ".." {
        return Ok(format!("{}/{source}", place.folder));
    }
    if source.starts_with('~') {
        return Err(format!("volumes: {source}: write the whole path of the home folder"));
    }
    let declared = place.declared.get(source).and_then(Value::as_object);
    let named = declared.and_then(|table| text_of(table, "name"));
    let is_external =
        declared.is_some_and(|table| table.get("external").is_some_and(|value| *value != Value::Bool(false)));
    Ok(match named {
        Some(name) => name,
        None if is_external => source.to_owned(),
        None => format!("{}_{source}", place.project),
    })
}
