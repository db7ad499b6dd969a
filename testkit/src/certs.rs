//! An authority for one test, and what it signs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use greenlight::config;
use greenlight::data_plane::ListenerFacts;
use greenlight::tls::Live;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{RootCertStore, ServerConfig};

#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
#[derive(Debug)]
pub struct Issued {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    pub fn issue(&self, names: &[&str]) -> Issued {
        self.sign(names, |_| {})
    }

    /// One that was good until the year 2000.
    pub fn issue_expired(&self, names: &[&str]) -> Issued {
        self.sign(names, |params| params.not_after = rcgen::date_time_ymd(2000, 1, 1))
    }

    fn sign(&self, names: &[&str], set: impl FnOnce(&mut CertificateParams)) -> Issued {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        set(&mut params);
        let cert = params.signed_by(&key, &self.0).unwrap();
        Issued { cert: cert.pem(), key: key.serialize_pem() }
    }
}

impl Issued {
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.cert.as_bytes()).map(Result::unwrap).collect()
    }

    pub fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    /// Of a server that shows it, asks for nothing and gives tickets.
    pub fn served(&self) -> ServerConfig {
        let mut config = ServerConfig::builder_with_provider(greenlight::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain(), self.private())
            .unwrap();
        config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
        config
    }
}

/// A folder of certificate files and what is served from them.
#[derive(Debug)]
pub struct Files {
    pub folder: tempfile::TempDir,
    pub authority: Authority,
}

impl Files {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        // As a careful tool does: never half a file under its name.
        let made = self.path(&format!("{name}.new"));
        fs::write(&made, bytes).unwrap();
        fs::rename(made, self.path(name)).unwrap();
    }

    /// `NAME.pem` and `NAME.key`, for these names.
    pub fn issue(&self, name: &str, names: &[&str]) {
        let issued = self.authority.issue(names);
        self.write(&format!("{name}.key"), &issued.key);
        self.write(&format!("{name}.pem"), &issued.cert);
    }

    /// A configuration whose first listener has this `[listeners.tls]`.
    pub fn config(&self, tls: &str) -> config::Config {
        self.config_of(&format!("[[listeners]]\nbind = \"127.0.0.1:8443\"\n[listeners.tls]\n{tls}\n"))
    }

    /// One with these `[[listeners]]`.
    pub fn config_of(&self, listeners: &str) -> config::Config {
        let text = format!(
            "{listeners}[services.app]\nhosts = [\"app.test\"]\n\
             [services.app.upstream]\nblue = [\"127.0.0.1:1\"]\ngreen = [\"127.0.0.1:2\"]\n"
        );
        config::parse(&text, self.folder.path()).unwrap_or_else(|faults| panic!("{faults:?}")).config
    }

    pub fn live(&self, tls: &str) -> Live {
        Live::open(&self.config(tls)).unwrap()
    }
}

/// The first listener of `live`.
pub fn facts(live: &Live) -> ListenerFacts {
    ListenerFacts { tls: live.entrances()[0].as_ref().map(Arc::clone), ..ListenerFacts::default() }
}

pub fn list(pairs: &[&str]) -> String {
    let pair = |name: &&str| format!("{{ cert = \"{name}.pem\", key = \"{name}.key\" }}");
    format!("certificates = [{}]", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
}

pub fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap()
}
