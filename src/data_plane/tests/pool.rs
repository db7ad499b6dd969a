use crate::data_plane::worker::metrics::Metrics;
use crate::data_plane::worker::service::Services;
use crate::model::ServiceName;

fn services() -> Services {
    Services::new(Metrics::register(&prometheus::Registry::new()).unwrap(), std::sync::Arc::default())
}

#[test]
fn replays_are_a_share_of_the_requests_and_ten_at_least() {
    let cell = services().cell(&ServiceName::new("app"));
    let allowed = (0..100).filter(|_| cell.may_replay(5, 0.2, 1)).count();
    assert_eq!(allowed, 10);
    for _ in 0..100 {
        cell.began(5);
    }
    let allowed = (0..100).filter(|_| cell.may_replay(5, 0.2, 1)).count();
    assert_eq!(allowed, 10, "twenty of a hundred in all");
    let allowed = (0..100).filter(|_| cell.may_replay(105, 0.0, 4)).count();
    assert_eq!(allowed, 3, "ten over four workers");
}

#[test]
fn a_service_keeps_its_cell_while_something_refers_to_it() {
    let services = services();
    let name = ServiceName::new("app");
    let cell = services.cell(&name);
    cell.colors.blue.inflight.set(3);
    services.flush();
    assert_eq!(services.inflight(&name, crate::model::Color::Blue), 3);
    assert_eq!(services.cell(&name).key, cell.key);
    drop(cell);
    services.flush();
    assert!(services.find(&name).is_none());
}
