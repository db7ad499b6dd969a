use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::data_plane::origin::connect_limit::{ConnectPermit, wait};
use crate::data_plane::origin::origin_side::Transport;
use crate::data_plane::origin::slot::Slot;
use crate::model::{Endpoint, EndpointId};

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn woken() -> (Arc<Woken>, Waker) {
    let woken = Arc::<Woken>::default();
    (Arc::clone(&woken), woken.into())
}

#[test]
fn permits_are_given_in_order_and_skip_requests_that_left() {
    let address = ([127, 0, 0, 1], 1).into();
    let slot = Rc::new(Slot::new(
        Endpoint { id: EndpointId::new("a"), address, probe: None },
        Transport::Plain,
        true,
        0,
    ));
    let mut connect_limit: Vec<_> = std::iter::from_fn(|| ConnectPermit::take(&slot)).collect();
    assert_eq!(connect_limit.len(), 32);
    let [(_, gone_waker), (first, first_waker), (second, second_waker)] = [woken(), woken(), woken()];
    {
        let mut gone = pin!(wait(&slot));
        assert!(gone.as_mut().poll(&mut Context::from_waker(&gone_waker)).is_pending());
    }
    let mut one = pin!(wait(&slot));
    let mut two = pin!(wait(&slot));
    for _ in 0..3 {
        // A request that is polled for another reason keeps its place and takes no second one.
        assert!(one.as_mut().poll(&mut Context::from_waker(&first_waker)).is_pending());
    }
    assert!(two.as_mut().poll(&mut Context::from_waker(&second_waker)).is_pending());
    connect_limit.pop();
    assert_eq!((first.0.load(Ordering::SeqCst), second.0.load(Ordering::SeqCst)), (1, 0));
    assert_eq!(one.as_mut().poll(&mut Context::from_waker(&first_waker)), Poll::Ready(()));
    connect_limit.push(ConnectPermit::take(&slot).unwrap());
    connect_limit.pop();
    assert_eq!((first.0.load(Ordering::SeqCst), second.0.load(Ordering::SeqCst)), (1, 1));
    // Another request was quicker, so this one goes back into the queue.
    connect_limit.push(ConnectPermit::take(&slot).unwrap());
    assert!(two.as_mut().poll(&mut Context::from_waker(&second_waker)).is_pending());
    connect_limit.pop();
    assert_eq!(second.0.load(Ordering::SeqCst), 2);
    assert_eq!(two.as_mut().poll(&mut Context::from_waker(&second_waker)), Poll::Ready(()));
}
