use std::sync::Arc;

use crate::data_plane::worker::limit::Gates;
use crate::model::ServiceName;

#[test]
fn so_many_are_in_and_so_many_wait() {
    let gates = Gates::default();
    let gate = gates.gate(&ServiceName::new("app"), 2);
    assert!(Arc::ptr_eq(&gate, &gates.gate(&ServiceName::new("app"), 2)), "one for all workers");
    let first = gate.enter().unwrap();
    let _second = gate.enter().unwrap();
    assert!(gate.enter().is_none());
    let waiting = gate.queue(1).unwrap();
    assert!(gate.queue(1).is_none(), "one waits already");
    drop(waiting);
    let waiting = gate.queue(1).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut turn = std::pin::pin!(waiting.turn());
        assert!(futures_util::poll!(turn.as_mut()).is_pending());
        drop(first);
        assert!(gate.enter().is_none(), "who waits comes first");
        assert!(turn.await.is_some());
    });
}

#[test]
fn another_number_is_another_gate() {
    let gates = Gates::default();
    let name = ServiceName::new("app");
    let two = gates.gate(&name, 2);
    let three = gates.gate(&name, 3);
    assert!(!Arc::ptr_eq(&two, &three));
    assert!(Arc::ptr_eq(&two, &gates.gate(&name, 2)), "a worker that has the older table finds its own");
}
