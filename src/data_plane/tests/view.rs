use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::data_plane::worker::metrics::Metrics;
use crate::data_plane::worker::service::Services;
use crate::data_plane::worker::view::{View, Wish};
use crate::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ServiceName};
use crate::routing::{ColorRoute, EndpointRoute, RouteTable, ServiceRoute, TableBuilder};

fn color(endpoints: &[(&str, u16, bool)]) -> ColorRoute {
    let route = |&(id, port, usable): &(&str, u16, bool)| EndpointRoute {
        endpoint: Endpoint { id: EndpointId::new(id), address: ([127, 0, 0, 1], port).into(), probe: None },
        usable,
        returns: 0,
    };
    ColorRoute { endpoints: endpoints.iter().map(route).collect() }
}

fn service(name: &str, blue: &[(&str, u16, bool)]) -> Arc<ServiceRoute> {
    Arc::new(ServiceRoute {
        name: ServiceName::new(name),
        hosts: vec![format!("{name}.test")],
        preview_hosts: PerColor::default(),
        default: false,
        active: Color::Blue,
        epoch: Epoch(0),
        paused: false,
        canary_percent: 0,
        baking: false,
        slow_after: None,
        stall_after: None,
        colors: PerColor { blue: color(blue), green: ColorRoute::default() },
        settings: Arc::default(),
    })
}

fn wish(color: Color, random: u64, tried: &[EndpointId]) -> Wish<'_> {
    Wish { color, random, now: 0, tried, affinity: None }
}

struct Bench {
    table: Arc<ArcSwap<RouteTable>>,
    services: Services,
    view: View,
}

impl Bench {
    fn new(routes: Vec<Arc<ServiceRoute>>) -> Self {
        let table = Arc::new(ArcSwap::from_pointee(TableBuilder::build(&RouteTable::default(), routes)));
        let services =
            Services::new(Metrics::register(&prometheus::Registry::new()).unwrap(), Arc::default());
        let view = View::new(Arc::clone(&table), &services, Arc::default());
        Self { table, services, view }
    }

    fn store(&self, routes: Vec<Arc<ServiceRoute>>) -> u64 {
        self.table.store(Arc::new(TableBuilder::build(&self.table.load(), routes)));
        self.view.refresh(&self.services, 0)
    }

    fn slots(&self) -> Vec<(String, u32)> {
        let mut slots = Vec::new();
        self.view.for_each_slot(|slot| slots.push((slot.endpoint.id.to_string(), slot.inflight.get())));
        slots.sort();
        slots
    }
}

#[test]
fn a_refresh_takes_the_current_table_and_keeps_services_that_did_not_change() {
    let same = service("same", &[("a", 1, true)]);
    let bench = Bench::new(vec![Arc::clone(&same), service("other", &[])]);
    let before = bench.view.find(Some(b"same.test")).unwrap().service;
    let rebuilt = bench.view.rebuilt();
    bench.view.refresh(&bench.services, 0);
    assert_eq!(bench.view.rebuilt(), rebuilt, "the same table is not built twice");
    let generation = bench.store(vec![service("new", &[]), same]);
    assert_eq!(generation, bench.table.load().generation());
    assert!(Rc::ptr_eq(&before, &bench.view.find(Some(b"same.test")).unwrap().service));
    assert!(bench.view.find(Some(b"other.test")).is_none());
}

#[test]
fn a_pick_counts_at_once_prefers_the_less_busy_and_leaves_out_failed_endpoints() {
    let bench = Bench::new(vec![service("app", &[("a", 1, true), ("b", 2, true), ("c", 3, false)])]);
    let app = bench.view.find(Some(b"app.test")).unwrap().service;
    let picks: Vec<_> = (0..100_u64)
        .map(|n| app.pick(&wish(Color::Blue, n.wrapping_mul(0x9e37_79b9_7f4a_7c15), &[])).unwrap())
        .collect();
    assert_eq!(app.cell.colors.blue.inflight.get(), 100);
    let slots = bench.slots();
    assert_eq!(slots[2], ("c".to_owned(), 0), "what is not usable gets nothing");
    assert!(slots[0].1.abs_diff(slots[1].1) <= 2, "{slots:?}");
    drop(picks);
    assert_eq!(app.cell.colors.blue.inflight.get(), 0);
    let pick = app.pick(&wish(Color::Blue, 7, &[EndpointId::new("a")])).unwrap();
    assert_eq!(pick.slot.endpoint.id.as_str(), "b");
    assert!(app.pick(&wish(Color::Blue, 7, &[EndpointId::new("a"), EndpointId::new("b")])).is_none());
    assert!(app.pick(&wish(Color::Green, 7, &[])).is_none());
}

#[test]
fn slots_survive_changes_and_go_when_nothing_holds_them() {
    let bench = Bench::new(vec![service("app", &[("a", 1, true)])]);
    let app = bench.view.find(Some(b"app.test")).unwrap().service;
    let pick = app.pick(&wish(Color::Blue, 0, &[])).unwrap();
    drop(app);
    bench.store(vec![service("app", &[("a", 1, true), ("b", 2, true)])]);
    assert_eq!(bench.slots(), [("a".to_owned(), 1), ("b".to_owned(), 0)]);
    bench.store(vec![service("app", &[("b", 2, true)])]);
    bench.view.sweep(crate::clock::instant(), 0);
    assert_eq!(bench.slots(), [("a".to_owned(), 1), ("b".to_owned(), 0)], "in flight: still counted");
    drop(pick);
    bench.view.sweep(crate::clock::instant(), 0);
    assert_eq!(bench.slots(), [("b".to_owned(), 0)]);
    bench.store(vec![service("app", &[("b", 9, true)])]);
    let app = bench.view.find(Some(b"app.test")).unwrap().service;
    assert_eq!(app.pick(&wish(Color::Blue, 0, &[])).unwrap().slot.endpoint.address.port(), 9);
}

#[test]
fn a_change_of_the_table_wakes_requests_that_wait_for_it() {
    struct Woken(std::sync::atomic::AtomicBool);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let bench = Bench::new(vec![service("app", &[])]);
    let woken = Arc::new(Woken(false.into()));
    let held = bench.view.pause_waiter();
    held.wake(&Arc::clone(&woken).into());
    bench.view.refresh(&bench.services, 0);
    assert!(!woken.0.load(std::sync::atomic::Ordering::SeqCst));
    bench.store(vec![]);
    assert!(woken.0.load(std::sync::atomic::Ordering::SeqCst));
}
