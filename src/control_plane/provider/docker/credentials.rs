//! The account at a registry, from `registry_auth`, or from the Docker config file with its helpers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use crate::config::RegistryAuth;
use crate::model::DOCKER_HUB;

use super::DockerFault;

/// The key of the Docker Hub in the Docker config file.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// The longest wait for a helper. A helper that asks a person would wait forever.
const HELPER_MAX: Duration = Duration::from_secs(30);
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The credentials for a registry; `None` is an anonymous client. The configured account is for the
/// registry of the service's own image. A person or a webhook may name an image of another registry. For
/// such an image, the Docker config file gives the credentials, since it knows registries by their hosts.
///
/// # Errors
/// A secret can't be read, the config file is no JSON, or a helper fails.
pub(crate) async fn find(
    registry: &str,
    configured: Option<&RegistryAuth>,
) -> Result<Option<DockerCredentials>, DockerFault> {
    if let Some(auth) = configured.filter(|auth| auth.is_for(registry)) {
        let auth = auth.clone();
        let registry = registry.to_owned();
        let read = move || -> Result<DockerCredentials, DockerFault> {
            let of = |key: &str, why| DockerFault::Refused(format!("upstream.registry_auth.{key}: {why}"));
            let username = auth.username.read().map_err(|why| of("username", why))?;
            let password = auth.password.read().map_err(|why| of("password", why))?;
            Ok(plain(&registry, username, password))
        };
        let read = tokio::task::spawn_blocking(read).await;
        return read.map_err(|why| DockerFault::Refused(why.to_string()))?.map(Some);
    }
    let Some(path) = file() else { return Ok(None) };
    let text = match read(&path).await {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(DockerFault::Refused(format!("{} can't be read: {why}", path.display()))),
    };
    match look_up(&text, registry) {
        Ok(Entry::Nobody) => Ok(None),
        Ok(Entry::Known(credentials)) => Ok(Some(*credentials)),
        Ok(Entry::Helper { program, key }) => ask_helper(&program, &key, registry).await,
        Err(why) => Err(DockerFault::Refused(format!("{}: {why}", path.display()))),
    }
}

/// `$DOCKER_CONFIG/config.json`, or `~/.docker/config.json`.
fn file() -> Option<PathBuf> {
    let folder = match std::env::var_os("DOCKER_CONFIG") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => std::env::home_dir()?.join(".docker"),
    };
    Some(folder.join("config.json"))
}

async fn read(path: &std::path::Path) -> std::io::Result<String> {
    let size = tokio::fs::metadata(path).await?.len();
    if size > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has {size} bytes: more than 1 MiB")));
    }
    tokio::fs::read_to_string(path).await
}

fn plain(registry: &str, username: String, password: String) -> DockerCredentials {
    let serveraddress = Some(if registry == DOCKER_HUB { HUB_KEY.to_owned() } else { registry.to_owned() });
    if username == "<token>" {
        return DockerCredentials { identitytoken: Some(password), serveraddress, ..Default::default() };
    }
    DockerCredentials {
        username: Some(username),
        password: Some(password),
        serveraddress,
        ..Default::default()
    }
}

/// The parts of the Docker config file that have accounts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    auths: BTreeMap<String, Auth>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Auth {
    #[serde(rename = "auth")]
    coded: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// The entry of the config file for a registry.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry {
    Nobody,
    Known(Box<DockerCredentials>),
    /// `docker-credential-PROGRAM get`, with the key on its standard input.
    Helper {
        program: String,
        key: String,
    },
}

/// Looks a registry up in the text of a config file. The order is that of the docker command: a helper of
/// its own, then the store of all registries, then the account that is written there.
pub(crate) fn look_up(text: &str, registry: &str) -> Result<Entry, String> {
    let file: File =
        serde_json::from_str(text).map_err(|why| format!("it is not as docker writes it: {why}"))?;
    let key = if registry == DOCKER_HUB { HUB_KEY } else { registry };
    let helper = |program: &String| {
        let sound = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if program.is_empty() || !program.bytes().all(sound) {
            return Err(format!("\"{program}\" is no name of a credential helper"));
        }
        Ok(Entry::Helper { program: program.clone(), key: key.to_owned() })
    };
    if let Some(program) = file.helpers.get(key).or_else(|| file.helpers.get(registry)) {
        return helper(program);
    }
    if let Some(program) = file.store.as_ref().filter(|program| !program.is_empty()) {
        return helper(program);
    }
    let named = |(written, _): &(&String, &Auth)| host(written) == host(key);
    let Some((_, auth)) = file.auths.iter().find(named) else { return Ok(Entry::Nobody) };
    if let Some(token) = auth.identitytoken.as_ref().filter(|token| !token.is_empty()) {
        return Ok(Entry::Known(Box::new(plain(registry, "<token>".to_owned(), token.clone()))));
    }
    if let (Some(username), Some(password)) = (&auth.username, &auth.password) {
        return Ok(Entry::Known(Box::new(plain(registry, username.clone(), password.clone()))));
    }
    let Some(coded) = auth.coded.as_ref().filter(|coded| !coded.is_empty()) else { return Ok(Entry::Nobody) };
    let decoded = STANDARD.decode(coded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
    let Some((username, password)) = pair else {
        return Err(format!("the auth of {registry} is not the base64 of user:password"));
    };
    Ok(Entry::Known(Box::new(plain(registry, username.to_owned(), password.to_owned()))))
}

/// The host of a key. Older keys are URLs.
fn host(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    key.split('/').next().unwrap_or(key)
}

/// The answer of a helper (github.com/docker/docker-credential-helpers, "Development").
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

async fn ask_helper(
    program: &str,
    key: &str,
    registry: &str,
) -> Result<Option<DockerCredentials>, DockerFault> {
    let command = format!("docker-credential-{program}");
    let refused = |why: &str| DockerFault::Refused(format!("{command} get {key}: {why}"));
    let asked = async {
        let mut child = tokio::process::Command::new(&command)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(key.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(HELPER_MAX, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(why)) => return Err(refused(&why.to_string())),
        Err(_) => return Err(refused("no answer within 30 s")),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        // This is how the helpers say that there is no entry.
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(refused("it failed: run it by hand to see why"));
    }
    let answer: Answer =
        serde_json::from_slice(&output.stdout).map_err(|_| refused("its answer can't be read"))?;
    Ok(Some(plain(registry, answer.username, answer.secret)))
}
