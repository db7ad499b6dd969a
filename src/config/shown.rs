//! Values in the one spelling that they have in the effective configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::Secret;
use super::quantity::{Size, show_duration};

/// A value that can be written as in the file.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

/// A TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key as one segment of a path. It is bare where TOML allows that, else quoted.
pub(super) fn segment(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quoted(key) }
}

macro_rules! as_written {
    ($($type:ty),*) => { $(impl Shown for $type {
        fn shown(&self) -> String {
            self.to_string()
        }
    })* };
}
as_written!(bool, u8, u16, u32, u64, usize);

macro_rules! as_text {
    ($($type:ty),*) => { $(impl Shown for $type {
        fn shown(&self) -> String {
            quoted(&self.to_string())
        }
    })* };
}
as_text!(String, SocketAddr, IpNet, Size);

impl Shown for f64 {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl Shown for Duration {
    fn shown(&self) -> String {
        quoted(&show_duration(*self))
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> String {
        quoted(&self.display().to_string())
    }
}

impl Shown for Secret {
    fn shown(&self) -> String {
        match self {
            Self::File(path) => format!("{{ file = {} }}", path.shown()),
            Self::Env(name) => format!("{{ env = {} }}", quoted(name)),
        }
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> String {
        format!("[{}]", self.iter().map(Shown::shown).collect::<Vec<_>>().join(", "))
    }
}

impl<K: ToString, V: Shown> Shown for BTreeMap<K, V> {
    fn shown(&self) -> String {
        let pairs: Vec<String> = self
            .iter()
            .map(|(key, value)| format!("{} = {}", segment(&key.to_string()), value.shown()))
            .collect();
        if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
    }
}
