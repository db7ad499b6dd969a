//! The answer to a challenge. It is offered as long as this value lives.

use std::sync::Arc;

use instant_acme::{ChallengeHandle, ChallengeType};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::tls::{ACME_TLS_ALPN, Challenges, provider};

use super::AcmeFault;

/// The way in which the control of a name is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Http,
    Tls,
}

impl Way {
    pub(crate) fn challenge(self) -> ChallengeType {
        match self {
            Self::Http => ChallengeType::Http01,
            Self::Tls => ChallengeType::TlsAlpn01,
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Http => Self::Tls,
            Self::Tls => Self::Http,
        }
    }
}

/// An offered answer, which is withdrawn when this value is dropped.
#[derive(Debug)]
pub(crate) struct Proof {
    challenges: Arc<Challenges>,
    way: Way,
    /// The token of HTTP-01, or the host of TLS-ALPN-01.
    key: String,
}

impl Proof {
    pub(crate) fn offer(
        challenges: &Arc<Challenges>,
        way: Way,
        host: &str,
        challenge: &ChallengeHandle<'_>,
    ) -> Result<Self, AcmeFault> {
        let authorization = challenge.key_authorization();
        let key = match way {
            Way::Http => {
                challenges.offer_http(challenge.token.clone(), authorization.as_str().to_owned());
                challenge.token.clone()
            }
            Way::Tls => {
                challenges.offer_tls(host.to_owned(), certificate(host, authorization.digest().as_ref())?);
                host.to_owned()
            }
        };
        Ok(Self { challenges: Arc::clone(challenges), way, key })
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        match self.way {
            Way::Http => self.challenges.withdraw_http(&self.key),
            Way::Tls => self.challenges.withdraw_tls(&self.key),
        }
    }
}

/// A self-signed certificate for the host, with the digest in a critical extension (RFC 8737 section 3). It
/// is shown only to clients whose ALPN list holds nothing but `acme-tls/1`.
fn certificate(host: &str, digest: &[u8]) -> Result<Arc<ServerConfig>, AcmeFault> {
    let failed = |why: &dyn ToString| AcmeFault::Proof(why.to_string());
    let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(|why| failed(&why))?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate().map_err(|why| failed(&why))?;
    let certificate = params.self_signed(&key).map_err(|why| failed(&why))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The usual check that a key fits its certificate is left out, because it refuses the critical
    // extension.
    let key = provider().key_provider.load_private_key(key).map_err(|why| failed(&why))?;
    let certified = CertifiedKey::new(vec![certificate.der().clone()], key);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|why| failed(&why))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![ACME_TLS_ALPN.to_vec()];
    Ok(Arc::new(config))
}
