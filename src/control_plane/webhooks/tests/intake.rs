//! Accepted messages are delivered in order, one at a time per service, and equal ones once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use crate::control_plane::webhooks::intake::{Arrival, Deliver, Delivered, Intake};

fn arrival(service: &str, version: &str) -> Arrival {
    Arrival {
        delivery: None,
        webhook: "hub".to_owned(),
        service: service.to_owned(),
        subject: version.to_owned(),
        image: None,
        version: Some(version.to_owned()),
        digest: None,
        at: None,
        client: [127, 0, 0, 1].into(),
    }
}

/// Reports each delivery, and holds it until the test lets it go.
fn gate() -> (Deliver, mpsc::Receiver<String>, Arc<Semaphore>) {
    let (told, seen) = mpsc::channel(1000);
    let open = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&open);
    let deliver: Deliver = Arc::new(move |arrival: Arrival| {
        let (told, gate) = (told.clone(), Arc::clone(&gate));
        Box::pin(async move {
            told.send(format!("{} {}", arrival.service, arrival.subject)).await.unwrap();
            gate.acquire().await.unwrap().forget();
            Delivered::Done
        })
    });
    (deliver, seen, open)
}

async fn next(seen: &mut mpsc::Receiver<String>) -> String {
    tokio::time::timeout(Duration::from_secs(10), seen.recv()).await.expect("brought").unwrap()
}

#[tokio::test]
async fn one_at_a_time_a_service_and_equal_ones_once() {
    let (deliver, mut seen, open) = gate();
    let intake = Intake::start(deliver, &[]);
    assert!(intake.take(vec![arrival("a", "v1")]));
    assert_eq!(next(&mut seen).await, "a v1");
    // While the first is being delivered, twenty of the next version, one of another version and one of
    // another service arrive.
    let more: Vec<_> = (0..20).map(|_| arrival("a", "v2")).chain([arrival("a", "v3")]).collect();
    assert!(intake.take(more));
    assert!(intake.take(vec![arrival("b", "v9")]));
    assert_eq!(next(&mut seen).await, "b v9", "no service waits for another");
    assert!(seen.try_recv().is_err());
    open.add_permits(2);
    assert_eq!(next(&mut seen).await, "a v2");
    open.add_permits(1);
    assert_eq!(next(&mut seen).await, "a v3");
    open.add_permits(1);
    assert!(intake.take(vec![arrival("a", "v2")]));
    assert_eq!(next(&mut seen).await, "a v2", "later it is another message");
}

#[tokio::test]
async fn too_many_are_not_taken() {
    let (deliver, mut seen, _open) = gate();
    let intake = Intake::start(deliver, &[]);
    let too_many: Vec<_> = (0..300).map(|n| arrival("a", &format!("v{n}"))).collect();
    assert!(!intake.take(too_many), "all of them or none");
    assert!(intake.take(vec![arrival("a", "v1")]));
    assert_eq!(next(&mut seen).await, "a v1");
}

#[tokio::test]
async fn a_delivery_that_may_succeed_later_is_tried_again() {
    let (told, mut seen) = mpsc::channel(100);
    let deliver: Deliver = Arc::new(move |arrival: Arrival| {
        let told = told.clone();
        Box::pin(async move {
            told.send(arrival.subject).await.unwrap();
            Delivered::Later("the registry is away".to_owned())
        })
    });
    let intake = Intake::start(deliver, &[Duration::ZERO; 6]);
    assert!(intake.take(vec![arrival("a", "v1"), arrival("a", "v2")]));
    for _ in 0..7 {
        assert_eq!(seen.recv().await.unwrap(), "v1");
    }
    assert_eq!(seen.recv().await.unwrap(), "v2", "one that is given up holds up no newer one");
    // No newer one waits, and the sender was told that v2 was taken.
    for _ in 0..20 {
        assert_eq!(seen.recv().await.unwrap(), "v2");
    }
}

#[tokio::test]
async fn a_delivery_that_panics_frees_its_own_service_alone() {
    let (told, mut seen) = mpsc::channel(100);
    let open = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&open);
    let deliver: Deliver = Arc::new(move |arrival: Arrival| {
        let (told, gate) = (told.clone(), Arc::clone(&gate));
        Box::pin(async move {
            told.send(format!("{} {}", arrival.service, arrival.subject)).await.unwrap();
            assert!(arrival.subject != "bad", "this delivery panics on purpose");
            gate.acquire().await.unwrap().forget();
            Delivered::Done
        })
    });
    let intake = Intake::start(deliver, &[]);
    assert!(intake.take(vec![arrival("a", "v1"), arrival("a", "v2")]));
    assert_eq!(next(&mut seen).await, "a v1");
    assert!(intake.take(vec![arrival("b", "bad"), arrival("b", "v8")]));
    assert_eq!(next(&mut seen).await, "b bad");
    assert_eq!(next(&mut seen).await, "b v8", "the service of the lost message goes on by itself");
    assert!(seen.try_recv().is_err(), "a v2 waits for a v1");
    open.add_permits(1);
    let after = next(&mut seen).await;
    assert_eq!(after, "a v2");
}
