//! Tables, properties and simulations of the judge.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod counting;
mod judging;
mod latency;
mod memory;
mod power;
mod properties;
mod rates;
mod routes;
mod series;
mod statistics;
mod total;

use super::{Baseline, Bucket, ClientKey, Judge, Outcome, Policy};

/// splitmix64 (Steele, Lea, Flood, 2014). It depends on its seed alone.
#[derive(Clone)]
pub(super) struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with this chance.
    fn chance(&mut self, rate: f64) -> bool {
        ((self.bits() >> 11) as f64) < rate * 2_f64.powi(53)
    }

    /// One of `clients` clients, as a hash of the kind that the data plane makes.
    fn client(&mut self, clients: u64) -> ClientKey {
        Self(self.bits() % clients).bits()
    }
}

/// A second in which `errors` of `requests` fail. Each request is from a client of its own.
fn bucket(requests: u64, errors: u64) -> Bucket {
    let mut bucket = Bucket::default();
    for i in 0..requests {
        let outcome = if i < errors { Outcome::Error } else { Outcome::Success };
        bucket.record(Random(i).bits(), outcome, None);
    }
    bucket
}

/// A baseline of ten minutes at 100 requests a second, with this number of clients.
fn baseline(errors: u64, clients: usize) -> Baseline {
    Baseline {
        requests: 60_000,
        errors,
        seconds: 600,
        dispersion: 1.0,
        clients,
        top_client_share: 0.1,
        latency: None,
        usual: None,
        routes: Vec::new(),
    }
}

/// A judge of a bake of five minutes at 100 requests a second.
fn judge(errors: u64, clients: usize) -> Judge {
    Judge::new(baseline(errors, clients), Policy::default(), 30_000.0)
}
