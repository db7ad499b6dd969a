//! Which endpoint is picked while endpoints fail, come back, and are named by a cookie.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::data_plane::origin::slot::{SLOW_START_TICKS, Slot};
use crate::data_plane::worker::metrics::Metrics;
use crate::data_plane::worker::service::Services;
use crate::data_plane::worker::view::{ServiceView, View, Wish};
use crate::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ServiceName};
use crate::routing::{ColorRoute, EndpointRoute, RouteTable, ServiceRoute, TableBuilder};

struct Bench {
    table: Arc<ArcSwap<RouteTable>>,
    services: Services,
    view: View,
    random: fastrand::Rng,
}

/// A route with numbered endpoints. Each is usable or not, and has come back so many times.
fn route(endpoints: &[(bool, u64)]) -> Arc<ServiceRoute> {
    let endpoints = (1..).zip(endpoints).map(|(port, &(usable, returns))| EndpointRoute {
        endpoint: Endpoint {
            id: EndpointId::new(format!("e{port}")),
            address: ([127, 0, 0, 1], port).into(),
            probe: None,
        },
        usable,
        returns,
    });
    let blue = ColorRoute { endpoints: endpoints.collect() };
    Arc::new(ServiceRoute {
        name: ServiceName::new("app"),
        hosts: vec!["app.test".into()],
        preview_hosts: PerColor::default(),
        default: false,
        active: Color::Blue,
        epoch: Epoch(0),
        paused: false,
        canary_percent: 0,
        slow_after: None,
        stall_after: None,
        baking: false,
        colors: PerColor { blue, green: ColorRoute::default() },
        settings: Arc::default(),
    })
}

impl Bench {
    fn new(endpoints: &[(bool, u64)]) -> Self {
        let first = TableBuilder::build(&RouteTable::default(), vec![route(endpoints)]);
        let table = Arc::new(ArcSwap::from_pointee(first));
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        let services = Services::new(metrics, Arc::default());
        let view = View::new(Arc::clone(&table), &services, Arc::default());
        Self { table, services, view, random: fastrand::Rng::with_seed(7) }
    }

    fn tell(&self, endpoints: &[(bool, u64)], now: u32) {
        self.table.store(Arc::new(TableBuilder::build(&self.table.load(), vec![route(endpoints)])));
        self.view.refresh(&self.services, now);
    }

    fn service(&self) -> Rc<ServiceView> {
        self.view.find(Some(b"app.test")).unwrap().service
    }

    fn wish(&mut self, now: u32) -> Wish<'static> {
        Wish { color: Color::Blue, random: self.random.u64(..), now, tried: &[], affinity: None }
    }

    /// How often each endpoint is picked in 10 000 picks.
    fn shares(&mut self, now: u32) -> BTreeMap<String, u32> {
        let service = self.service();
        let mut shares = BTreeMap::new();
        for _ in 0..10_000 {
            let picked = service.pick(&self.wish(now)).unwrap();
            *shares.entry(picked.slot.endpoint.id.to_string()).or_default() += 1;
        }
        shares
    }

    fn with_slot<T>(&self, id: &str, ask: impl Fn(&Slot) -> T) -> T {
        let mut answer = None;
        self.view.for_each_slot(|slot| {
            if slot.endpoint.id.as_str() == id {
                answer = Some(ask(slot));
            }
        });
        answer.unwrap()
    }

    /// Fails this many attempts in a row.
    fn fail(&self, id: &str, times: usize) {
        for _ in 0..times {
            if self.with_slot(id, |slot| slot.came_out(true)) {
                let counts = &self.service().cell.colors[Color::Blue];
                counts.ejected.set(counts.ejected.get() + 1);
            }
        }
    }
}

#[test]
fn five_failures_in_a_row_take_an_endpoint_out_and_its_probes_bring_it_back_slowly() {
    let mut bench = Bench::new(&[(true, 0), (true, 0), (true, 0)]);
    bench.fail("e1", 4);
    bench.with_slot("e1", |slot| slot.came_out(false));
    bench.fail("e1", 4);
    assert!(bench.shares(0).contains_key("e1"), "one success begins anew");
    bench.fail("e1", 1);
    let shares = bench.shares(0);
    assert_eq!(shares.keys().collect::<Vec<_>>(), ["e2", "e3"]);
    bench.tell(&[(true, 0), (true, 5), (true, 0)], 10);
    assert!(!bench.shares(10).contains_key("e1"), "another's return is not its own");
    bench.tell(&[(true, 1), (true, 5), (true, 0)], 1000);
    let first = bench.shares(1000)["e1"];
    assert!((100..800).contains(&first), "a tenth of a third: {first}");
    let half = bench.shares(1000 + SLOW_START_TICKS / 2)["e1"];
    assert!((1200..2600).contains(&half), "{half}");
    let whole = bench.shares(1000 + SLOW_START_TICKS)["e1"];
    assert!((3000..3700).contains(&whole), "{whole}");
}

#[test]
fn an_endpoint_that_was_sick_starts_slowly_and_a_fresh_color_does_not() {
    let mut bench = Bench::new(&[(true, 0), (false, 0)]);
    assert_eq!(bench.shares(0).len(), 1);
    bench.tell(&[(true, 0), (true, 0)], 100);
    let share = bench.shares(100)["e2"];
    assert!((200..1000).contains(&share), "{share}");
    // All endpoints of a color come at once, so they share evenly.
    let mut bench = Bench::new(&[(false, 0), (false, 0)]);
    bench.tell(&[(true, 0), (true, 0)], 100);
    let share = bench.shares(100)["e2"];
    assert!((4500..5500).contains(&share), "{share}");
}

#[test]
fn when_more_than_half_is_out_all_that_run_are_used() {
    let mut bench = Bench::new(&[(true, 0), (true, 0), (true, 0), (false, 0)]);
    bench.fail("e1", 5);
    assert_eq!(bench.shares(0).len(), 2, "half of four is not more than half");
    bench.fail("e2", 5);
    assert_eq!(bench.shares(0).len(), 3);
    let mut alone = Bench::new(&[(true, 0)]);
    alone.fail("e1", 5);
    assert_eq!(alone.shares(0).len(), 1);
}

#[test]
fn a_cookie_names_its_endpoint_as_long_as_that_can_be_sent_to() {
    let mut bench = Bench::new(&[(true, 0), (true, 0), (true, 0)]);
    let key = bench.with_slot("e2", |slot| slot.key);
    let service = bench.service();
    for _ in 0..100 {
        let wish = Wish { affinity: Some(key), ..bench.wish(0) };
        assert_eq!(service.pick(&wish).unwrap().slot.endpoint.id.as_str(), "e2");
    }
    let tried = [EndpointId::new("e2")];
    let wish = Wish { affinity: Some(key), tried: &tried, ..bench.wish(0) };
    assert_ne!(service.pick(&wish).unwrap().slot.endpoint.id.as_str(), "e2");
    bench.fail("e2", 5);
    let wish = Wish { affinity: Some(key), ..bench.wish(0) };
    assert_ne!(service.pick(&wish).unwrap().slot.endpoint.id.as_str(), "e2");
    let wish = Wish { affinity: Some(12345), ..bench.wish(0) };
    assert!(service.pick(&wish).is_some(), "a name that means nobody");
}
