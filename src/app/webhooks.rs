//! Webhooks that come in: their listeners, their book, and the way from a push to the controller.

use std::net::TcpListener;
use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus::Registry;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock;
use crate::config::Config;
use crate::control_plane::controller::{Actor, AuditEntry, Command, Handle, Rejection};
use crate::control_plane::store::Store;
use crate::control_plane::webhooks;
use crate::control_plane::webhooks::{Arrival, Book, Deliver, Delivered, Refusal, Watch};
use crate::model::ServiceName;
use crate::routing::RouteTable;
use crate::tasks;

use super::{Fault, listen};

/// How many refusals may wait for the store.
const REFUSALS: usize = 64;

/// The webhooks and the sockets on which they come in.
#[derive(Debug)]
pub(crate) struct Bound {
    book: Book,
    own: Option<TcpListener>,
    /// The socket to which the public listeners hand webhooks over. It is on the loopback, at a port that
    /// the system chooses.
    inner: Option<TcpListener>,
}

pub(crate) fn bind(config: &Config) -> Result<Bound, Fault> {
    let book = read(config)?;
    let own = config.hooks.bind.map(|address| listen::single(config, "hooks.bind", address)).transpose()?;
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let inner = config.hooks.public.then(|| listen::single(config, "hooks.public", loopback)).transpose()?;
    Ok(Bound { book, own, inner })
}

impl Bound {
    /// Adds the way to the webhooks to the table, if the public listeners take webhooks.
    pub(crate) fn route(&self, table: RouteTable) -> RouteTable {
        match self.inner.as_ref().and_then(|inner| inner.local_addr().ok()) {
            Some(address) => table.with_hooks(address),
            None => table,
        }
    }
}

/// Reads the secrets of the webhooks. An unreadable secret is a fault, because its webhook would never
/// answer.
fn read(config: &Config) -> Result<Book, Fault> {
    let (book, faults) = Book::read(config, &Book::default());
    match faults.first() {
        Some(fault) => Err(Fault::Config(fault.to_string())),
        None => Ok(book),
    }
}

/// Reads the webhooks again after a reload. A webhook at fault is out of force until its fault is fixed.
pub(crate) fn reread(shelf: &webhooks::Shelf, config: &Config) {
    let (book, faults) = Book::read(config, &shelf.load());
    for fault in faults {
        tracing::error!(%fault, "this webhook is not in force");
    }
    shelf.store(Arc::new(book));
}

/// The parts of the program that webhooks act on.
pub(crate) struct Parts {
    pub(crate) handle: Handle,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Registry,
}

/// Serves webhooks until `stop` is true.
pub(crate) fn start(
    bound: Bound,
    parts: Parts,
    stop: watch::Receiver<bool>,
) -> Result<(webhooks::Shelf, JoinHandle<std::io::Result<()>>), Fault> {
    let Parts { handle, store, registry } = parts;
    let (refusals, refused) = mpsc::channel(REFUSALS);
    let watch = Watch::new(&registry, refusals)?;
    tasks::spawn("webhook refusals", write_refusals(refused, handle.clone(), store));
    let Bound { book, own, inner } = bound;
    let shelf = Arc::new(ArcSwap::from_pointee(book));
    let options = webhooks::Options { own, inner, book: Arc::clone(&shelf), watch, deliver: deliver(handle) };
    Ok((shelf, tasks::spawn("webhooks", webhooks::serve(options, stop))))
}

/// Gives a push to its service. The audit log shows everything that follows from the push.
fn deliver(handle: Handle) -> Deliver {
    Arc::new(move |arrival| {
        let handle = handle.clone();
        Box::pin(async move {
            let Arrival { webhook, service, subject, image, version, digest, at, delivery, client } = arrival;
            let actor = Actor(format!("webhook {webhook} from {client}"));
            let command = Command::Pushed { subject, image, version, digest, at, delivery };
            match handle.command(&service, command, None, actor).await {
                Ok(_) => Delivered::Done,
                Err(Rejection::Unavailable { why, .. }) => Delivered::Later(why),
                Err(why) => {
                    tracing::info!(webhook, service, %why, "a push starts no release");
                    Delivered::Done
                }
            }
        })
    })
}

/// Writes each message that was refused into the audit log of its service.
async fn write_refusals(mut refused: mpsc::Receiver<Refusal>, handle: Handle, store: Arc<dyn Store>) {
    while let Some(Refusal { webhook, service, client, why }) = refused.recv().await {
        if service.is_empty() {
            continue;
        }
        let state = handle.views().service(&service).map_or("", |view| view.state.as_str());
        let entry = AuditEntry {
            time: clock::wall_rfc3339(),
            who: format!("webhook {webhook} from {client}"),
            service: service.clone(),
            what: "a message".to_owned(),
            outcome: format!("refused: {why}"),
            before: format!("state {state}"),
            after: format!("state {state}"),
        };
        let Ok(json) = serde_json::to_string(&entry) else { continue };
        if let Err(fault) = store.audit(&ServiceName::from(service.as_str()), json).await {
            tracing::error!(service, %fault, "the audit log can't be written");
        }
    }
}
