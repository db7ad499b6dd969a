//! The names and labels of greenlight's containers. The labels are the only sign by which a container is
//! known again after a crash, and the only sign by which it is ever taken for greenlight's own.

use std::collections::HashMap;

use crate::model::{Color, ReleaseId, ServiceName, Version};

pub(super) const SERVICE: &str = "greenlight.service";
pub(super) const COLOR: &str = "greenlight.color";
/// The release that created it. The containers of one release are a set.
pub(super) const RELEASE: &str = "greenlight.release";
pub(super) const DIGEST: &str = "greenlight.digest";
/// The image reference that was asked for. It is for people, and for the pull of a lost image.
pub(super) const IMAGE: &str = "greenlight.image";
/// Its number in the set, from 1.
pub(super) const INDEX: &str = "greenlight.index";
/// The port that the application listens on.
pub(super) const PORT: &str = "greenlight.port";
/// Marks a container that runs one command of a hook.
pub(super) const COMMAND: &str = "greenlight.command";

/// The content of greenlight's labels on a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    pub service: ServiceName,
    pub color: Color,
    /// The release. `None` if somebody else runs the container and marked it for greenlight to follow.
    pub set: Option<ReleaseId>,
    pub version: Option<Version>,
    pub image: Option<String>,
    pub index: u32,
    pub port: Option<u16>,
}

impl Marks {
    /// Reads a container's labels. `None` if they don't name a service and a color.
    #[must_use]
    pub fn read(labels: &HashMap<String, String>) -> Option<Self> {
        let text = |key: &str| labels.get(key).filter(|text| !text.is_empty());
        let service = text(SERVICE)?;
        Some(Self {
            service: ServiceName::new(service.as_str()),
            color: text(COLOR)?.parse().ok()?,
            set: text(RELEASE).map(|id| ReleaseId::new(id.as_str())),
            version: text(DIGEST).map(|digest| Version(digest.clone())),
            image: text(IMAGE).cloned(),
            index: text(INDEX).and_then(|index| index.parse().ok()).unwrap_or(0),
            port: text(PORT).and_then(|port| port.parse().ok()),
        })
    }

    /// The labels of a container that greenlight creates.
    #[must_use]
    pub fn labels(&self) -> HashMap<String, String> {
        let mut labels = HashMap::from([
            (SERVICE.to_owned(), self.service.to_string()),
            (COLOR.to_owned(), self.color.to_string()),
            (INDEX.to_owned(), self.index.to_string()),
        ]);
        let mut more = |key: &str, value: Option<String>| {
            labels.extend(value.map(|value| (key.to_owned(), value)));
        };
        more(RELEASE, self.set.as_ref().map(ToString::to_string));
        more(DIGEST, self.version.as_ref().map(ToString::to_string));
        more(IMAGE, self.image.clone());
        more(PORT, self.port.map(|port| port.to_string()));
        labels
    }

    /// Whether both are of one set and one image. If so, the container of an earlier attempt can be used.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.service == other.service && self.set == other.set && self.version == other.version
    }

    /// The name `greenlight-<service>-<number>-<color>-<index>`. It is unique, and readable in `docker ps`.
    #[must_use]
    pub fn name(&self) -> String {
        let set = self.set.as_ref().map_or(self.service.as_str(), ReleaseId::as_str);
        format!("greenlight-{set}-{}-{}", self.color, self.index)
    }
}
