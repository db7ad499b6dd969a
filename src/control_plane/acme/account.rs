//! The ACME account. It is created once for a directory and an e-mail address, and then kept.

use std::sync::Arc;

use instant_acme::{Account, AccountCredentials, NewAccount};

use crate::config::Acme;
use crate::control_plane::store::Store;

use super::AcmeFault;
use super::http::Http;

/// Opens the account that the store keeps. If there is none, it creates one and keeps it. A person who
/// configures ACME agrees to the terms of the directory.
pub(crate) async fn open(acme: &Acme, store: &Arc<dyn Store>) -> Result<Account, AcmeFault> {
    let http = Box::new(Http::new(acme.ca.as_deref())?);
    let builder = Account::builder_with_http(http);
    let name = format!("acme/account/{}/{}", acme.directory, acme.email);
    if let Some(kept) = store.credential(&name).await? {
        let credentials: AccountCredentials = serde_json::from_str(&kept)?;
        return Ok(builder.from_credentials(credentials).await?);
    }
    let contact = format!("mailto:{}", acme.email);
    let wanted =
        NewAccount { contact: &[&contact], terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&wanted, acme.directory.clone(), None).await?;
    store.keep_credential(&name, serde_json::to_string(&credentials)?).await?;
    tracing::info!(directory = acme.directory, email = acme.email, "an ACME account was made");
    Ok(account)
}
