//! The progress of a pull, from the engine's lines about each layer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The layers of one pull.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    layers: BTreeMap<String, Layer>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Layer {
    current: u64,
    total: u64,
    done: bool,
}

/// A limit on the number of layers. No image has so many (the engine's own limit is 127).
const LAYERS_MAX: usize = 512;

impl Progress {
    /// Takes a line of the engine. It has the layer, its status word, and the bytes if they are known.
    pub(crate) fn take(&mut self, layer: &str, status: &str, current: Option<i64>, total: Option<i64>) {
        if self.layers.len() >= LAYERS_MAX && !self.layers.contains_key(layer) {
            return;
        }
        let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
        match status {
            "Pulling fs layer" | "Waiting" => {
                self.layers.entry(layer.to_owned()).or_default();
            }
            "Downloading" => {
                let known = self.layers.entry(layer.to_owned()).or_default();
                known.current = bytes(current).unwrap_or(known.current);
                known.total = bytes(total).unwrap_or(known.total);
            }
            "Verifying Checksum" | "Download complete" | "Extracting" => {
                let known = self.layers.entry(layer.to_owned()).or_default();
                known.current = known.total;
            }
            "Pull complete" | "Already exists" => {
                let known = self.layers.entry(layer.to_owned()).or_default();
                known.current = known.total;
                known.done = true;
            }
            _ => {}
        }
    }

    /// The progress as a text, such as "2 of 5 layers, 12.3 of 45.6 MB". It is empty before anything is
    /// known.
    pub(crate) fn text(&self) -> String {
        if self.layers.is_empty() {
            return String::new();
        }
        let done = self.layers.values().filter(|layer| layer.done).count();
        let current: u64 = self.layers.values().map(|layer| layer.current.min(layer.total)).sum();
        let total: u64 = self.layers.values().map(|layer| layer.total).sum();
        let mut text = format!("{done} of {} layers", self.layers.len());
        if total > 0 {
            let _ = write!(text, ", {:.1} of {:.1} MB", current as f64 / 1e6, total as f64 / 1e6);
        }
        text
    }
}
