use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use tokio::runtime::{Builder, LocalOptions};

use crate::data_plane::worker::passes::Passes;

/// A task that is woken all the time does its share once in each pass.
#[test]
fn a_share_is_done_once_a_pass() {
    const SHARES: u32 = 5;
    let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).unwrap();
    let passes = Rc::new(Passes::default());
    let mut polls = 0;
    runtime.block_on(async {
        let keeper = Rc::clone(&passes);
        tokio::task::spawn_local(async move { keeper.keep().await });
        let mut done = None;
        let mut shares = 0;
        poll_fn(|context| {
            polls += 1;
            if done != Some(passes.now()) {
                done = Some(passes.now());
                shares += 1;
                passes.wake_at_next(context);
            }
            context.waker().wake_by_ref();
            if shares == SHARES { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert_eq!(passes.now(), u64::from(SHARES) - 1);
    });
    assert!(polls > SHARES, "{polls} polls");
}
