//! Counts client connections over all workers: all of them, and those of one address. The limit on the
//! connections of one address holds over all workers, and is off unless a person configures it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections by client address. Of an IPv6 address only the first 64 bits count, since one
/// client gets a whole network of that size.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// The most connections of one address; 0 turns the limit off.
    max: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, counts: Mutex::default() })
    }

    /// Counts one connection of `address` until the result is dropped. `None` if the limit is off and
    /// nothing is counted.
    ///
    /// # Errors
    /// The address has as many connections as it may.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Option<AddressCount>, Full> {
        if self.max == 0 {
            return Ok(None);
        }
        let key = client(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        if *count >= self.max {
            return Err(Full);
        }
        *count += 1;
        Ok(Some(AddressCount { addresses: Arc::clone(self), key }))
    }
}

/// The address has as many connections as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// One connection of an address.
#[derive(Debug)]
pub(crate) struct AddressCount {
    addresses: Arc<Addresses>,
    key: IpAddr,
}

impl Drop for AddressCount {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = counts.entry(self.key) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// One client connection, counted in the number that all workers share.
#[derive(Debug)]
pub(crate) struct ConnectionCount {
    connections: Arc<AtomicUsize>,
    /// The connection in the count of its address. (Boxed, because this limit is mostly off, and every
    /// waiting connection would hold its space.)
    entered: Option<Box<AddressCount>>,
}

impl ConnectionCount {
    pub(crate) fn new(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self { connections: Arc::clone(connections), entered: None }
    }

    /// Counts the connection for its client's address.
    ///
    /// # Errors
    /// The address has as many connections as it may.
    pub(crate) fn claim(&mut self, addresses: &Arc<Addresses>, address: IpAddr) -> Result<(), Full> {
        self.entered = addresses.enter(address)?.map(Box::new);
        Ok(())
    }
}

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}
