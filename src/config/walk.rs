//! One reading of a file. It collects every fault, the place of every key, and the values in force.
//!
//! serde stops at the first value of a wrong type, which would show a person one fault per run. So this
//! code walks the spanned tree of the `toml` crate by hand. Each key is asked for by name, with its kind
//! and its default in one line. A key that was not asked for is unknown. The list of known keys can't
//! differ from the keys that are read, because it consists of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::docker_host::DockerHost;
use super::fault::{Fault, Severity};
use super::nearest::nearest;
use super::secret::Secret;
use super::shown::Shown;
use super::source::Source;

/// How many unknown keys are reported. A file with more is no configuration of greenlight.
const UNKNOWN_MAX: usize = 200;

/// One value of the file, with its place.
#[derive(Clone, Debug)]
pub(super) struct Item<'t> {
    /// The key path, such as `services.backend.health.interval` or `listeners[0].bind`.
    pub path: String,
    pub value: &'t DeValue<'t>,
    pub span: Range<usize>,
}

/// A value of the file with its path.
pub(super) fn item<'t>(path: String, value: &'t Spanned<DeValue<'t>>) -> Item<'t> {
    Item { path, value: value.get_ref(), span: value.span() }
}

/// The place of a key, and its value as it stands in the file. `None` must not be shown.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub line: usize,
    pub text: Option<String>,
}

/// A secret or a file that has to be readable when the configuration is loaded from disk.
#[derive(Clone, Debug)]
pub(super) enum Reference {
    Secret(Secret),
    File(PathBuf),
}

/// A key that was not asked for, and the keys that its table knows.
#[derive(Debug)]
struct Unknown {
    section: String,
    key: String,
    line: usize,
    known: Vec<&'static str>,
}

/// The state of a reading.
#[derive(Debug)]
pub(super) struct Walk<'t> {
    source: Source<'t>,
    /// Relative paths are resolved from this folder.
    base: PathBuf,
    pub faults: Vec<Fault>,
    /// The keys that stand in the file.
    pub places: BTreeMap<String, Place>,
    /// Every key that was asked for.
    asked: BTreeSet<String>,
    pub effective: BTreeMap<String, String>,
    /// Key paths, each with the secret or file that it refers to.
    pub references: Vec<(String, Reference)>,
    unknown: Vec<Unknown>,
    /// The engine of a service that names none.
    pub docker_host: DockerHost,
}

impl<'t> Walk<'t> {
    pub(super) fn new(text: &'t str, base: &Path) -> Self {
        Self {
            source: Source::new(text),
            base: base.to_owned(),
            faults: Vec::new(),
            places: BTreeMap::new(),
            asked: BTreeSet::new(),
            effective: BTreeMap::new(),
            references: Vec::new(),
            unknown: Vec::new(),
            docker_host: DockerHost::default(),
        }
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.source.line(at)
    }

    /// A path of the file. A relative one is resolved from the folder of the configuration file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    /// Records the place and the text of a value that is in the file.
    pub(super) fn found(&mut self, item: &Item<'_>) {
        let place = Place {
            line: self.line(item.span.start),
            text: Some(self.source.excerpt(item.value, item.span.clone())),
        };
        self.places.insert(item.path.clone(), place);
    }

    pub(super) fn asked(&mut self, path: &str) {
        self.asked.insert(path.to_owned());
    }

    /// Every key that was asked for, whether or not it is in the file.
    #[cfg(test)]
    pub(super) fn asked_keys(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().map(String::as_str)
    }

    /// Hides the value at this path. Faults that are reported from here on do not show it.
    pub(super) fn hide(&mut self, path: &str) {
        if let Some(place) = self.places.get_mut(path) {
            place.text = None;
        }
    }

    pub(super) fn in_force<T: Shown + ?Sized>(&mut self, path: &str, value: &T) {
        self.effective.insert(path.to_owned(), value.shown());
    }

    /// Reports a fault of a key. If the key stands in the file, the fault has its line and its value.
    pub(super) fn fault(&mut self, path: &str, message: impl Into<String>) {
        self.push(Severity::Fault, path, message.into());
    }

    pub(super) fn warn(&mut self, path: &str, message: impl Into<String>) {
        self.push(Severity::Warning, path, message.into());
    }

    fn push(&mut self, severity: Severity, path: &str, message: String) {
        let place = self.places.get(path);
        self.faults.push(Fault {
            severity,
            key: path.to_owned(),
            line: place.map(|place| place.line).or_else(|| self.line_above(path)),
            value: place.and_then(|place| place.text.clone()),
            message,
        });
    }

    /// The line of the nearest table around a key that is not in the file.
    fn line_above(&self, path: &str) -> Option<usize> {
        let mut path = path;
        while let Some(cut) = path.rfind(['.', '[']) {
            path = &path[..cut];
            if let Some(place) = self.places.get(path) {
                return Some(place.line);
            }
        }
        None
    }

    /// Whether these keys, and all keys beneath them, are without a fault. A check of a value that is at
    /// fault already would only complain about the same mistake again.
    pub(super) fn sound(&self, paths: &[&str]) -> bool {
        let touches = |key: &str, path: &str| {
            key.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        !self
            .faults
            .iter()
            .filter(|fault| fault.severity == Severity::Fault)
            .any(|fault| paths.iter().any(|path| touches(&fault.key, path)))
    }

    pub(super) fn unknown(&mut self, section: &str, key: &str, at: usize, known: Vec<&'static str>) {
        if self.unknown.len() == UNKNOWN_MAX {
            return;
        }
        let line = self.line(at);
        self.unknown.push(Unknown { section: section.to_owned(), key: key.to_owned(), line, known });
    }

    /// Turns the unknown keys into faults. By now all known keys have been asked for. The values are not
    /// shown, because an unknown key may be a misspelled `token`.
    pub(super) fn check_unknown(&mut self) {
        for unknown in std::mem::take(&mut self.unknown) {
            let here = nearest(&unknown.key, unknown.known.iter().copied());
            let message = match here {
                Some(known) => format!("is not a known key: \"{known}\" is the nearest one"),
                None => match self.elsewhere(&unknown) {
                    Some(path) => format!("is not a known key here: it belongs at {path}"),
                    None if unknown.known.is_empty() => "is not a known key: none is taken here".to_owned(),
                    None => format!("is not a known key: {} are", unknown.known.join(", ")),
                },
            };
            self.faults.push(Fault {
                severity: Severity::Fault,
                key: join(&unknown.section, &unknown.key),
                line: Some(unknown.line),
                value: None,
                message,
            });
        }
    }

    /// The path of a known key with the same name. Of several, it is the one that shares the longest prefix
    /// with this one.
    fn elsewhere(&self, unknown: &Unknown) -> Option<&str> {
        let shared =
            |path: &str| path.bytes().zip(unknown.section.bytes()).take_while(|(a, b)| a == b).count();
        self.asked
            .iter()
            .filter(|path| path.rsplit('.').next() == Some(unknown.key.as_str()))
            .max_by_key(|path| shared(path))
            .map(String::as_str)
    }
}

/// The path of a key in a section.
pub(super) fn join(section: &str, key: &str) -> String {
    let key = super::shown::segment(key);
    if section.is_empty() { key } else { format!("{section}.{key}") }
}
