//! GitHub (docs.github.com/webhooks/webhook-events-and-payloads), the events `package` and
//! `registry_package`. A workflow may also send a generic message, signed in the same way.

use serde::Deserialize;
use serde_json::Value;

use crate::control_plane::webhooks::push::{Push, unix_seconds};

use super::{Malformed, generic, image, json};

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    action: Option<String>,
    #[serde(alias = "registry_package")]
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    #[serde(rename = "package_type")]
    kind: Option<String>,
    #[serde(rename = "package_version")]
    version: Option<PackageVersion>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct PackageVersion {
    #[serde(default)]
    package_url: Option<String>,
    container_metadata: Option<Metadata>,
    updated_at: Option<String>,
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    tag: Option<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    digest: Option<String>,
}

pub(crate) fn read(body: &[u8]) -> Result<Vec<Push>, Malformed> {
    let whole: Value = json(body)?;
    let is_package = whole.get("package").is_some_and(Value::is_object)
        || whole.get("registry_package").is_some_and(Value::is_object);
    if is_package {
        return package(body);
    }
    // This is `ping`, or an event that is not about a package.
    if whole.get("image").is_none() && (whole.get("version").is_none() && whole.get("tag").is_none()) {
        return Ok(Vec::new());
    }
    generic::read(body)
}

fn package(body: &[u8]) -> Result<Vec<Push>, Malformed> {
    let message: Message = json(body)?;
    let Some(package) = message.package else { return Ok(Vec::new()) };
    let published = matches!(message.action.as_deref(), Some("published" | "updated" | "create" | "update"));
    let container = package.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("container"));
    let Some(version) = package.version.filter(|_| published && container) else {
        return Ok(Vec::new());
    };
    let tag = version.container_metadata.and_then(|metadata| metadata.tag);
    let (name, digest) = tag.map_or((None, None), |tag| (tag.name, tag.digest));
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    // The URL is the image's whole name, but its tag may be missing.
    let url = filled(version.package_url).map(|url| url.trim_end_matches(':').to_owned());
    let mut push = match url {
        Some(url) => image(&url)?,
        None => Push {
            repository: Some(match package.namespace {
                Some(namespace) => format!("{namespace}/{}", package.name).to_lowercase(),
                None => package.name.to_lowercase(),
            }),
            ..Push::default()
        },
    };
    push.tag = filled(name).or(push.tag);
    push.digest = filled(digest).or(push.digest);
    // GHCR sends the year 1 where it knows no time.
    let times = [version.updated_at, package.updated_at, version.created_at];
    push.at = times.iter().flatten().find_map(|time| unix_seconds(time));
    // A version without a tag is a layer of an index, or an attestation.
    Ok(if push.tag.is_some() { vec![push] } else { Vec::new() })
}
