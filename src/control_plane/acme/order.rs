//! One order, which leads from a name to its certificate.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeStatus, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};

use crate::tls::Challenges;

use super::AcmeFault;
use super::proof::{Proof, Way};

/// How long a server may take to validate or to sign.
const POLL: RetryPolicy = RetryPolicy::new().timeout(Duration::from_mins(2));

/// A certificate chain and its private key, both as PEM.
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

/// Orders a certificate for one host, and proves that greenlight answers for that host. The proof goes
/// `way`, or the other way if the server offers only that one.
pub(crate) async fn obtain(
    account: &Account,
    challenges: &Arc<Challenges>,
    host: &str,
    way: Way,
) -> Result<Issued, AcmeFault> {
    let names = [Identifier::Dns(host.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    // The proofs are offered until the order is ready, because a server may ask from many places, and more
    // than once.
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

/// The reasons that the server gives for challenges that failed.
async fn why_invalid(order: &mut Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        // The order's own copy of the state was read before the failure, so it is refreshed.
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
