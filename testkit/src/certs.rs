//! A certificate authority for one test, the certificates that it signs, and configurations that serve them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use greenlight::config;
use greenlight::data_plane::ListenerFacts;
use greenlight::tls::Live;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{RootCertStore, ServerConfig};

/// A certificate authority with a key of its own.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Debug)]
pub struct Issued {
    pub cert: String,
    pub key: String,
}

impl Authority {
    /// An authority with a new key.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The certificate of the authority, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A root store that trusts this authority alone.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// Issues a certificate for these names.
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.sign(names, |_| {})
    }

    /// Issues a certificate that expired at the start of the year 2000.
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
    /// The certificate in DER, as a chain.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.cert.as_bytes()).map(Result::unwrap).collect()
    }

    /// The private key in DER.
    pub fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    /// The configuration of a server that shows this certificate, asks clients for none, and gives session
    /// tickets.
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

/// A folder of certificate files, and the authority that signs them.
#[derive(Debug)]
pub struct Files {
    pub folder: tempfile::TempDir,
    pub authority: Authority,
}

impl Files {
    /// An empty folder with an authority of its own.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new() }
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the folder as a whole.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        // A rename replaces the file, so a reader never sees half of it.
        let made = self.path(&format!("{name}.new"));
        fs::write(&made, bytes).unwrap();
        fs::rename(made, self.path(name)).unwrap();
    }

    /// Issues a certificate for these names and writes it to `NAME.pem` and `NAME.key`.
    pub fn issue(&self, name: &str, names: &[&str]) {
        let issued = self.authority.issue(names);
        self.write(&format!("{name}.key"), &issued.key);
        self.write(&format!("{name}.pem"), &issued.cert);
    }

    /// A configuration whose first listener has this `[listeners.tls]`.
    pub fn config(&self, tls: &str) -> config::Config {
        self.config_of(&format!("[[listeners]]\nbind = \"127.0.0.1:8443\"\n[listeners.tls]\n{tls}\n"))
    }

    /// A configuration with these `[[listeners]]` and a service for `app.test`.
    pub fn config_of(&self, listeners: &str) -> config::Config {
        let text = format!(
            "{listeners}[services.app]\nhosts = [\"app.test\"]\n\
             [services.app.upstream]\nblue = [\"127.0.0.1:1\"]\ngreen = [\"127.0.0.1:2\"]\n"
        );
        config::parse(&text, self.folder.path()).unwrap_or_else(|faults| panic!("{faults:?}")).config
    }

    /// Opens the certificates of a configuration whose first listener has this `[listeners.tls]`.
    pub fn live(&self, tls: &str) -> Live {
        Live::open(&self.config(tls)).unwrap()
    }
}

/// The facts of the first listener of `live`.
pub fn facts(live: &Live) -> ListenerFacts {
    ListenerFacts { tls: live.entrances()[0].as_ref().map(Arc::clone), ..ListenerFacts::default() }
}

/// The `certificates` line of `[listeners.tls]` for the pairs `NAME.pem` and `NAME.key`.
pub fn list(pairs: &[&str]) -> String {
    let pair = |name: &&str| format!("{{ cert = \"{name}.pem\", key = \"{name}.key\" }}");
    format!("certificates = [{}]", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap()
}
