//! Colours listed in the configuration. Host names are resolved again every 10 s; each address is
//! an endpoint.

use tokio::sync::mpsc;

use crate::model::{Color, Endpoint, PerColor, ServiceName};

/// `[services.NAME.upstream]` of kind fixed: `host:port` texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedSource {
    pub service: ServiceName,
    pub addresses: PerColor<Vec<String>>,
}

/// A colour's endpoints as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUpdate {
    pub service: ServiceName,
    pub color: Color,
    pub endpoints: Vec<Endpoint>,
}

/// Resolves, and says what has changed.
#[derive(Debug)]
pub struct FixedProvider {}

impl FixedProvider {
    /// Starts with no sources. Runs on the current runtime until dropped.
    #[must_use]
    pub fn start(updates: mpsc::Sender<ProviderUpdate>) -> Self {
        let _ = updates;
        todo!("provider helper")
    }

    /// Replaces the sources; each is resolved at once. Addresses that are literals are reported
    /// without any look-up. A name that can't be resolved keeps its last addresses.
    pub fn set_sources(&self, sources: Vec<FixedSource>) {
        let _ = sources;
        todo!("provider helper")
    }

    /// Resolves once, now: for the start, before traffic is taken.
    pub async fn resolve(source: &FixedSource) -> PerColor<Vec<Endpoint>> {
        let _ = source;
        todo!("provider helper")
    }
}
