use std::sync::Arc;

use crate::data_plane::worker::request_limit::RequestLimits;
use crate::model::ServiceName;

#[test]
fn a_limit_lets_so_many_requests_in_and_so_many_wait() {
    let limits = RequestLimits::default();
    let limit = limits.of(&ServiceName::new("app"), 2);
    assert!(Arc::ptr_eq(&limit, &limits.of(&ServiceName::new("app"), 2)), "one for all workers");
    let first = limit.enter().unwrap();
    let _second = limit.enter().unwrap();
    assert!(limit.enter().is_none());
    let waiting = limit.queue(1).unwrap();
    assert!(limit.queue(1).is_none(), "one waits already");
    drop(waiting);
    let waiting = limit.queue(1).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut turn = std::pin::pin!(waiting.permit());
        assert!(futures_util::poll!(turn.as_mut()).is_pending());
        drop(first);
        assert!(limit.enter().is_none(), "who waits comes first");
        assert!(turn.await.is_some());
    });
}

#[test]
fn another_number_is_another_limit() {
    let limits = RequestLimits::default();
    let name = ServiceName::new("app");
    let two = limits.of(&name, 2);
    let three = limits.of(&name, 3);
    assert!(!Arc::ptr_eq(&two, &three));
    assert!(Arc::ptr_eq(&two, &limits.of(&name, 2)), "a worker that has the older table finds its own");
}
