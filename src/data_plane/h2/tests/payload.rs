//! The limits on the bytes that h2 holds.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::{Buf, Bytes};

use crate::data_plane::h2::payload::{Held, Payload, Queue, STREAM_BYTES_MAX};

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn payload(bytes: usize, queue: &Rc<Queue>) -> Payload {
    Payload::new(Bytes::from(vec![0; bytes]), queue)
}

#[test]
fn a_stream_holds_no_more_than_its_share() {
    let queue = Queue::new(&Rc::default());
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let context = Context::from_waker(&waker);
    assert_eq!(queue.room(&context), STREAM_BYTES_MAX);
    let first = payload(STREAM_BYTES_MAX - 10, &queue);
    assert_eq!(queue.room(&context), 10);
    let mut second = payload(10, &queue);
    assert_eq!(queue.room(&context), 0);
    // A frame counts until it is dropped, since its memory is held as long.
    second.advance(10);
    assert_eq!(queue.room(&context), 0);
    assert!(!woken.0.load(Ordering::SeqCst));
    drop(second);
    assert!(woken.0.swap(false, Ordering::SeqCst));
    assert_eq!(queue.room(&context), 10);
    assert_eq!(queue.poll_empty(&context), Poll::Pending);
    drop(first);
    assert!(woken.0.load(Ordering::SeqCst));
    assert_eq!(queue.poll_empty(&context), Poll::Ready(()));
}

#[test]
fn all_streams_of_a_connection_share_a_limit_and_each_goes_on() {
    let context = Context::from_waker(Waker::noop());
    let held = Rc::<Held>::default();
    let queues: Vec<_> = (0..1000).map(|_| Queue::new(&held)).collect();
    let mut payloads: Vec<Vec<Payload>> = Vec::new();
    let mut total = 0;
    for queue in &queues {
        let mut own = Vec::new();
        loop {
            let room = queue.room(&context);
            if room == 0 {
                break;
            }
            own.push(payload(room, queue));
            total += room;
        }
        assert!(!own.is_empty(), "each stream may send something");
        payloads.push(own);
    }
    assert!(total <= 256 * 1024 + queues.len() * 1024, "{total}");
    payloads.clear();
    assert!(queues.iter().all(|queue| queue.room(&context) == STREAM_BYTES_MAX), "all of it comes back");
}
