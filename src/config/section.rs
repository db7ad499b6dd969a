//! A table of the file, read key by key.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::Shown;
use super::kind::wrong_type;
use super::nearest::nearest;
use super::walk::{Item, Walk, item, join};

/// A table that is being read. An absent table is read too; all of its keys then have their defaults.
#[derive(Debug)]
pub(super) struct Section<'w, 't> {
    pub walk: &'w mut Walk<'t>,
    pub path: String,
    table: Option<&'t DeTable<'t>>,
    asked: Vec<&'static str>,
    /// False if another value stands where the table should be. Keys that are missing in it are then no
    /// further fault.
    whole: bool,
}

impl<'w, 't> Section<'w, 't> {
    /// The whole file.
    pub(super) fn root(walk: &'w mut Walk<'t>, table: &'t DeTable<'t>) -> Self {
        Self { walk, path: String::new(), table: Some(table), asked: Vec::new(), whole: true }
    }

    /// Reads a table, and reports the keys in it that `read` did not ask for.
    fn enter<T>(
        &mut self,
        path: String,
        table: Option<&'t DeTable<'t>>,
        whole: bool,
        read: impl FnOnce(&mut Section<'_, 't>) -> T,
    ) -> T {
        let mut section = Section { walk: &mut *self.walk, path, table, asked: Vec::new(), whole };
        let value = read(&mut section);
        section.finish();
        value
    }

    /// Reports the keys of the table that were not asked for.
    pub(super) fn finish(self) {
        let Some(table) = self.table else { return };
        for (key, value) in table {
            if !self.asked.contains(&key.get_ref().as_ref()) {
                // The key of a table with a header has no span of its own. The best place for the fault is
                // that header, which is the span of the table.
                let at = if key.span().is_empty() { value.span().start } else { key.span().start };
                self.walk.unknown(&self.path, key.get_ref(), at, self.asked.clone());
            }
        }
    }

    pub(super) fn key(&self, key: &str) -> String {
        join(&self.path, key)
    }

    fn ask(&mut self, key: &'static str) {
        if !self.asked.contains(&key) {
            self.asked.push(key);
            let path = self.key(key);
            self.walk.asked(&path);
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn item(&mut self, key: &'static str) -> Option<Item<'t>> {
        self.ask(key);
        let path = self.key(key);
        let value = self.table?.get(key)?;
        let item = item(path, value);
        self.walk.found(&item);
        Some(item)
    }

    /// Whether a key stands in the file. This call does not count as asking for the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// A key with a default. If the value is at fault, the rest of the reading uses the default.
    pub(super) fn value<T: Shown>(
        &mut self,
        key: &'static str,
        kind: impl Fn(&mut Walk<'t>, &Item<'t>) -> Option<T>,
        default: T,
    ) -> T {
        let value = self.item(key).and_then(|item| kind(&mut *self.walk, &item)).unwrap_or(default);
        let path = self.key(key);
        self.walk.in_force(&path, &value);
        value
    }

    /// A key that may be absent.
    pub(super) fn optional<T: Shown>(
        &mut self,
        key: &'static str,
        kind: impl Fn(&mut Walk<'t>, &Item<'t>) -> Option<T>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let value = kind(&mut *self.walk, &item)?;
        self.walk.in_force(&item.path, &value);
        Some(value)
    }

    /// A key that must be there. `example` is a line that would be right.
    pub(super) fn required<T: Shown>(
        &mut self,
        key: &'static str,
        kind: impl Fn(&mut Walk<'t>, &Item<'t>) -> Option<T>,
        example: &str,
    ) -> Option<T> {
        let value = self.optional(key, kind);
        if value.is_none() && !self.has(key) {
            self.missing(key, example);
        }
        value
    }

    /// Reports a required key that is absent.
    pub(super) fn missing(&mut self, key: &str, example: &str) {
        if self.whole {
            let path = self.key(key);
            self.walk.fault(&path, format!("is missing: {example}"));
        }
    }

    /// A key whose value is one of a few words.
    pub(super) fn word<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        let value = self.item(key).and_then(|item| word(&mut *self.walk, &item, words)).unwrap_or(default);
        if let Some((text, _)) = words.iter().find(|(_, meaning)| *meaning == value) {
            let path = self.key(key);
            self.walk.in_force(&path, &(*text).to_owned());
        }
        value
    }

    /// A table that has defaults for all of its keys.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_, 't>) -> T,
    ) -> T {
        let path = self.key(key);
        let (table, whole) = match self.item(key) {
            None => (None, self.whole),
            Some(item) => {
                if let DeValue::Table(table) = item.value {
                    (Some(table), true)
                } else {
                    no_table(self.walk, &item, &format!("a table, [{path}]"));
                    (None, false)
                }
            }
        };
        self.enter(path, table, whole, read)
    }

    /// A table that may be absent as a whole.
    pub(super) fn optional_section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_, 't>) -> T,
    ) -> Option<T> {
        if self.has(key) {
            return Some(self.section(key, read));
        }
        self.ask(key);
        None
    }

    /// An array of tables, `[[key]]`; `None` when the key is absent.
    pub(super) fn rows<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Section<'_, 't>) -> T,
    ) -> Option<Vec<T>> {
        let array = self.item(key)?;
        let path = &array.path;
        let DeValue::Array(rows) = array.value else {
            no_table(self.walk, &array, &format!("a list of tables, [[{path}]]"));
            return Some(Vec::new());
        };
        let mut values = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let row = item(format!("{path}[{index}]"), row);
            self.walk.found(&row);
            if let DeValue::Table(table) = row.value {
                values.push(self.enter(row.path, Some(table), true, &read));
            } else {
                no_table(self.walk, &row, "a table");
            }
        }
        Some(values)
    }

    /// Tables whose names a person chooses, `[key.NAME]`, in the order of the parsed table.
    pub(super) fn named<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Section<'_, 't>, &str) -> T,
    ) -> Vec<T> {
        let Some(tables) = self.item(key) else { return Vec::new() };
        let DeValue::Table(table) = tables.value else {
            no_table(self.walk, &tables, &format!("a table, [{}.NAME]", tables.path));
            return Vec::new();
        };
        let mut values = Vec::new();
        for (name, value) in table {
            let item = item(join(&tables.path, name.get_ref()), value);
            self.walk.found(&item);
            if let DeValue::Table(table) = item.value {
                let path = item.path;
                values.push(self.enter(path, Some(table), true, |section| read(section, name.get_ref())));
            } else {
                no_table(self.walk, &item, &format!("a table, [{}]", item.path));
            }
        }
        values
    }

    /// A table with free keys. `kind` checks each value.
    pub(super) fn map<T: Shown>(
        &mut self,
        key: &'static str,
        kind: impl Fn(&mut Walk<'t>, &Item<'t>) -> Option<T>,
        example: &str,
    ) -> BTreeMap<String, T> {
        let mut values = BTreeMap::new();
        if let Some(map) = self.item(key) {
            if let DeValue::Table(table) = map.value {
                for (name, value) in table {
                    let item = item(join(&map.path, name.get_ref()), value);
                    self.walk.found(&item);
                    if let Some(value) = kind(self.walk, &item) {
                        values.insert(name.get_ref().to_string(), value);
                    }
                }
            } else {
                wrong_type(self.walk, &map, &format!("a table: {example}"));
            }
        }
        let path = self.key(key);
        self.walk.in_force(&path, &values);
        values
    }
}

/// Reports a value that stands where a table should be. The value may be meant for any key of that table,
/// even for a secret, so a text or a list is not shown.
fn no_table(walk: &mut Walk<'_>, item: &Item<'_>, needed: &str) {
    if matches!(item.value, DeValue::String(_) | DeValue::Array(_)) {
        walk.hide(&item.path);
    }
    wrong_type(walk, item, needed);
}

/// One of a few words. For any other word, the fault names the nearest one.
pub(super) fn word<T: Copy>(walk: &mut Walk<'_>, item: &Item<'_>, words: &[(&'static str, T)]) -> Option<T> {
    let all = || words.iter().map(|(text, _)| format!("\"{text}\"")).collect::<Vec<_>>().join(", ");
    let DeValue::String(written) = item.value else {
        wrong_type(walk, item, &format!("one of {}", all()));
        return None;
    };
    let meant = words.iter().find(|(text, _)| text == written);
    if meant.is_none() {
        let message = match nearest(written, words.iter().map(|(text, _)| *text)) {
            Some(word) => format!("is not one of {}: \"{word}\" is the nearest", all()),
            None => format!("is not one of {}", all()),
        };
        walk.fault(&item.path, message);
    }
    meant.map(|(_, value)| *value)
}
