//! One order: from a name to its certificate.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeStatus, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};

use crate::tls::Challenges;

use super::AcmeFault;
use super::proof::{Proof, Way};

/// How long a server may validate, or sign.
const POLL: RetryPolicy = RetryPolicy::new().timeout(Duration::from_mins(2));

/// A certificate as PEM: the chain, and the key.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// Orders a certificate for one host, and proves that we answer for it: in this way, or in the other
/// one if that is all that the server offers.
pub(crate) async fn obtain(
    account: &Account,
    challenges: &Arc<Challenges>,
    host: &str,
    way: Way,
) -> Result<Issued, AcmeFault> {
    let names = [Identifier::Dns(host.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    // Offered until the order is through: a server may ask from many places, and again.
    let mut proofs = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let offers = |way: Way| {
            let offered = authorization.challenges.iter();
            offered.into_iter().any(|challenge| challenge.r#type == way.challenge())
        };
        let way = if offers(way) { way } else { way.other() };
        let mut challenge = authorization
            .challenge(way.challenge())
            .ok_or_else(|| AcmeFault::NoChallenge(host.to_owned()))?;
        proofs.push(Proof::offer(challenges, way, host, &challenge)?);
        challenge.set_ready().await?;
    }
    match order.poll_ready(&POLL).await? {
        OrderStatus::Ready | OrderStatus::Valid => {}
        _ => return Err(AcmeFault::Invalid { host: host.to_owned(), why: why_invalid(&mut order).await }),
    }
    drop(proofs);
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&POLL).await?;
    Ok(Issued { chain, key })
}

/// What the server says of the challenges that failed.
async fn why_invalid(order: &mut Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        // The state that the order was made with knows of no failure yet.
        let Ok(state) = authorization.refresh().await else { continue };
        let failed = state.challenges.iter().filter(|challenge| challenge.status == ChallengeStatus::Invalid);
        said.extend(failed.filter_map(|challenge| {
            let problem = challenge.error.as_ref()?;
            Some(format!(
                "{:?}: {}",
                challenge.r#type,
                problem.detail.as_deref().unwrap_or("no reason given")
            ))
        }));
    }
    if said.is_empty() { "the server gives no reason".to_owned() } else { said.join("; ") }
}
