//! The ledger of a score. It holds the part that each client has added since the score was last 0.

use serde::{Deserialize, Serialize};

use super::ClientKey;

/// The number of clients that are remembered. The client that added least makes place for a new one, and
/// could then add its small part again.
const CLIENTS_MAX: usize = 128;

/// The nano-nats of each client, sorted by client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ledger {
    charged: Vec<(ClientKey, i64)>,
}

impl Ledger {
    /// The nano-nats that this client has added.
    pub(crate) fn charged(&self, client: ClientKey) -> i64 {
        self.place(client).map_or(0, |at| self.charged[at].1)
    }

    pub(crate) fn charge(&mut self, client: ClientKey, amount: i64) {
        if amount <= 0 {
            return;
        }
        match self.place(client) {
            Ok(at) => self.charged[at].1 = self.charged[at].1.saturating_add(amount),
            Err(at) => {
                self.charged.insert(at, (client, amount));
                if self.charged.len() > CLIENTS_MAX {
                    self.forget_least();
                }
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.charged.clear();
    }

    fn place(&self, client: ClientKey) -> Result<usize, usize> {
        self.charged.binary_search_by_key(&client, |(known, _)| *known)
    }

    fn forget_least(&mut self) {
        let least = self.charged.iter().enumerate().min_by_key(|(_, (_, amount))| *amount);
        if let Some((at, _)) = least {
            self.charged.remove(at);
        }
    }
}
