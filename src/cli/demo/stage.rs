//! The configuration of the demo, with a folder of its own and with ports that are free on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::ports;
use super::trouble::Trouble;
use crate::model::{Color, PerColor};

/// The configuration that the demo runs. It is also a sample of a small configuration.
const CONFIG: &str = include_str!("../../../config/demo.toml");

/// The folder, files and addresses of the demo.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub folder: PathBuf,
    pub config: PathBuf,
    pub service: String,
    pub host: String,
    pub listener: SocketAddr,
    pub admin: SocketAddr,
    pub upstreams: PerColor<Vec<SocketAddr>>,
    /// One sentence for each address of the file that another process uses, with the address in its place.
    pub notes: Vec<String>,
}

impl Stage {
    /// Writes the configuration into a new folder below the system's folder for temporary files.
    pub(super) fn set() -> Result<Self, Trouble> {
        let folder = std::env::temp_dir().join(format!("greenlight-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|source| Trouble::File { path: folder.clone(), source })?;
        let (stage, text) = Self::plan(CONFIG, &folder)?;
        std::fs::write(&stage.config, text)
            .map_err(|source| Trouble::File { path: stage.config.clone(), source })?;
        Ok(stage)
    }

    /// The stage and the text of its configuration. Ports that are in use are replaced, and the store is put
    /// below `folder`. Fails with [`Trouble::Config`] when `text` lacks a key that the demo needs.
    pub(super) fn plan(text: &str, folder: &Path) -> Result<(Self, String), Trouble> {
        let mut file: Table = toml::from_str(text).map_err(|error| Trouble::Config(error.to_string()))?;
        let mut addresses = Addresses::default();
        let listener = addresses.settle(listener(&mut file)?)?;
        let admin = addresses.settle(entry(table(&mut file, "admin")?, "bind")?)?;
        table(&mut file, "store")?
            .insert("path".to_owned(), Value::String(folder.join("store").display().to_string()));

        let services = table(&mut file, "services")?;
        let name = services.keys().next().cloned().ok_or_else(|| missing("services"))?;
        let service = table(services, &name)?;
        let host = service
            .get("hosts")
            .and_then(|hosts| hosts.get(0))
            .and_then(Value::as_str)
            .ok_or_else(|| missing("hosts"))?
            .to_owned();
        let upstream = table(service, "upstream")?;
        let mut upstreams = PerColor::<Vec<SocketAddr>>::default();
        for color in Color::ALL {
            let listed = upstream
                .get_mut(color.as_str())
                .and_then(Value::as_array_mut)
                .ok_or_else(|| missing(color.as_str()))?;
            for address in listed {
                upstreams[color].push(addresses.settle(address)?);
            }
        }
        let stage = Self {
            folder: folder.to_owned(),
            config: folder.join("greenlight.toml"),
            service: name,
            host,
            listener,
            admin,
            upstreams,
            notes: addresses.notes,
        };
        let text = toml::to_string(&file).map_err(|error| Trouble::Config(error.to_string()))?;
        Ok((stage, text))
    }
}

/// The addresses that were given out so far, and the notes about replaced ones.
#[derive(Default)]
struct Addresses {
    taken: Vec<SocketAddr>,
    notes: Vec<String>,
}

impl Addresses {
    /// Keeps the address if it is free. Otherwise it writes a free address into `value` and notes that.
    fn settle(&mut self, value: &mut Value) -> Result<SocketAddr, Trouble> {
        let wanted: SocketAddr = value
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Trouble::Config(format!("{value} is not ADDRESS:PORT")))?;
        let address = if !self.taken.contains(&wanted) && ports::is_free(wanted) {
            wanted
        } else {
            let other = ports::free_address(&self.taken)
                .ok_or_else(|| Trouble::Config("no port is free on 127.0.0.1".to_owned()))?;
            self.notes.push(format!("{wanted} is taken: {other} is used in its place"));
            *value = Value::String(other.to_string());
            other
        };
        self.taken.push(address);
        Ok(address)
    }
}

fn missing(key: &str) -> Trouble {
    Trouble::Config(format!("{key} is missing"))
}

fn table<'a>(parent: &'a mut Table, key: &str) -> Result<&'a mut Table, Trouble> {
    parent.get_mut(key).and_then(Value::as_table_mut).ok_or_else(|| missing(key))
}

fn entry<'a>(parent: &'a mut Table, key: &str) -> Result<&'a mut Value, Trouble> {
    parent.get_mut(key).ok_or_else(|| missing(key))
}

fn listener(file: &mut Table) -> Result<&mut Value, Trouble> {
    file.get_mut("listeners")
        .and_then(|listeners| listeners.get_mut(0))
        .and_then(|listener| listener.get_mut("bind"))
        .ok_or_else(|| missing("listeners"))
}
