//! Keeps a certificate for every host that ACME is configured for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;

use crate::clock;
use crate::config::Acme;
use crate::control_plane::store::Store;
use crate::tasks;
use crate::tls::{Challenges, Entrance, certified_key, names_of};

use super::AcmeFault;
use super::account;
use super::order::{Issued, obtain};
use super::proof::Way;
use super::schedule::{Life, retry_after};

/// How many orders run at once. ACME servers limit how many an account may have.
const ORDERS_MAX: usize = 4;
/// The time for one order, with its validation.
const ORDER_TIME: Duration = Duration::from_mins(5);
/// The longest wait in one piece. Someone may set the wall clock, so it is read again after each wait.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// The certificates that the keeper has to keep, and the parts that it works with.
#[derive(Debug)]
pub struct Options {
    /// The `acme` table of each listener that has one, with the entrance that serves its certificates.
    pub entrances: Vec<(Acme, Arc<Entrance>)>,
    /// Whether a plain listener is configured. If so, HTTP-01 is tried first.
    pub has_plain: bool,
    pub challenges: Arc<Challenges>,
    pub store: Arc<dyn Store>,
}

/// One certificate: the ACME settings that it is ordered with, its host, and where it is served.
#[derive(Debug)]
struct Certificate {
    acme: Acme,
    host: String,
    entrances: Vec<Arc<Entrance>>,
    /// The validity of the certificate. `None` means that there is no certificate yet, or that it can't be
    /// read.
    life: Option<Life>,
}

/// Keeps every certificate of the configuration. Those in the store are in force at once.
#[derive(Debug)]
pub struct Keeper {
    wanted: Vec<Certificate>,
    shop: Arc<Shop>,
}

/// The parts that all orders share.
#[derive(Debug)]
struct Shop {
    first: Way,
    challenges: Arc<Challenges>,
    store: Arc<dyn Store>,
    orders: Semaphore,
    /// Only one account is created at a time.
    accounts: Mutex<()>,
}

impl Keeper {
    /// Brings the certificates of the store into force. [`Self::run`] orders the others.
    pub async fn new(options: Options) -> Self {
        let shop = Shop {
            first: if options.has_plain { Way::Http } else { Way::Tls },
            challenges: options.challenges,
            store: options.store,
            orders: Semaphore::new(ORDERS_MAX),
            accounts: Mutex::new(()),
        };
        let mut wanted: BTreeMap<(String, String), Certificate> = BTreeMap::new();
        for (acme, entrance) in options.entrances {
            for host in &acme.hosts {
                let key = (acme.directory.clone(), host.clone());
                let want = || Certificate {
                    acme: acme.clone(),
                    host: host.clone(),
                    entrances: Vec::new(),
                    life: None,
                };
                wanted.entry(key).or_insert_with(want).entrances.push(Arc::clone(&entrance));
            }
        }
        let mut wanted: Vec<Certificate> = wanted.into_values().collect();
        for one in &mut wanted {
            match shop.kept(one).await {
                Ok(life) => one.life = life,
                Err(why) => {
                    tracing::error!(host = one.host, %why, "the kept certificate can't be used: a new one is ordered");
                }
            }
        }
        Self { wanted, shop: Arc::new(shop) }
    }

    /// Orders and renews certificates until `stop` is true. Orders under way are then dropped; after the
    /// next start they are made again.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut keepers = JoinSet::new();
        for wanted in self.wanted {
            keepers.spawn(tasks::named("certificate keeper", Arc::clone(&self.shop).keep(wanted)));
        }
        // An error means that the sender is gone, and that is a reason to stop too.
        let _ = stop.wait_for(|stop| *stop).await;
        keepers.shutdown().await;
    }
}

impl Certificate {
    /// The name under which the store keeps this certificate.
    fn credential(&self) -> String {
        format!("acme/certificate/{}/{}", self.acme.directory, self.host)
    }

    /// Serves the certificate at all of its entrances. Returns its validity.
    fn serve(&self, issued: &Issued) -> Result<Life, AcmeFault> {
        let (key, life) = read(issued, &self.host)?;
        let key = Arc::new(key);
        for entrance in &self.entrances {
            entrance.install(&self.host, Arc::clone(&key))?;
        }
        Ok(life)
    }
}

impl Shop {
    async fn kept(&self, wanted: &Certificate) -> Result<Option<Life>, AcmeFault> {
        let Some(kept) = self.store.credential(&wanted.credential()).await? else { return Ok(None) };
        let issued: Issued = serde_json::from_str(&kept)?;
        wanted.serve(&issued).map(Some)
    }

    /// Keeps one certificate valid for as long as the program runs.
    async fn keep(self: Arc<Self>, wanted: Certificate) {
        let mut life = wanted.life;
        let mut way = self.first;
        let mut failures = 0;
        loop {
            let wait = life.map_or(0, |life| life.renewal().saturating_sub(now()));
            if let Ok(seconds) = u64::try_from(wait)
                && seconds > 0
            {
                tokio::time::sleep(Duration::from_secs(seconds).min(LOOK_EVERY)).await;
                continue;
            }
            match self.order(&wanted, way).await {
                Ok(fresh) => {
                    tracing::info!(
                        host = wanted.host,
                        days = (fresh.ends - now()) / 86_400,
                        "certificate issued"
                    );
                    life = Some(fresh);
                    failures = 0;
                }
                Err(why) => {
                    failures += 1;
                    way = way.other();
                    let pause = retry_after(failures, fastrand::f64());
                    let left = life.map(|life| life.ends - now());
                    tracing::error!(
                        host = wanted.host, %why, failures, retry_in = ?pause, seconds_left = ?left,
                        "no certificate issued"
                    );
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    async fn order(&self, wanted: &Certificate, way: Way) -> Result<Life, AcmeFault> {
        // This semaphore is never closed.
        let _turn = self.orders.acquire().await;
        let work = async {
            let account = {
                let _one = self.accounts.lock().await;
                account::open(&wanted.acme, &self.store).await?
            };
            obtain(&account, &self.challenges, &wanted.host, way).await
        };
        let issued = tokio::time::timeout(ORDER_TIME, work).await;
        let issued = issued.map_err(|_| AcmeFault::Late(ORDER_TIME.as_secs()))??;
        // Checks that the certificate is sound before it replaces a sound one.
        read(&issued, &wanted.host)?;
        if let Err(why) =
            self.store.keep_credential(&wanted.credential(), serde_json::to_string(&issued)?).await
        {
            tracing::error!(host = wanted.host, %why, "the certificate is served but not kept: a restart orders it again");
        }
        wanted.serve(&issued)
    }
}

/// Reads a certificate, and checks that it fits its key and its host.
fn read(issued: &Issued, host: &str) -> Result<(CertifiedKey, Life), AcmeFault> {
    let unusable = |why: &dyn ToString| AcmeFault::Unusable(why.to_string());
    let chain = CertificateDer::pem_slice_iter(issued.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| unusable(&why))?;
    let leaf = chain.first().ok_or_else(|| unusable(&"it is empty"))?;
    let of = names_of(leaf);
    if !of.names.iter().any(|name| name == host) {
        return Err(unusable(&format!("it is for {}", of.names.join(", "))));
    }
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).map_err(|why| unusable(&why))?;
    let key = certified_key(chain, key).map_err(|why| unusable(&why))?;
    Ok((key, Life { begins: of.begins, ends: of.ends }))
}

fn now() -> i64 {
    i64::try_from(clock::unix_seconds()).unwrap_or(i64::MAX)
}
