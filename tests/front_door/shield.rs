//! The shield in a real release: a candidate that loses 30 % of its GETs costs no client anything, and
//! is reverted as if there were no shield.

use greenlight::model::PerColor;

use crate::origin;
use crate::support::{House, PATIENCE, SERVICE, Setup};

const BASELINE_REQUESTS: u64 = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_see_nothing_of_a_candidate_that_is_reverted() {
    let (blue, green) = (origin::start("blue", 0.0).await, origin::start("green", 0.3).await);
    let upstreams = PerColor { blue: vec![blue], green: vec![green] };
    let setup = Setup { health: "min_healthy_time = \"1s\"", ..Setup::default() };
    let house = House::open_before(&setup, &upstreams).await;
    let load = house.load(10, Some(100.0));
    assert!(load.until(PATIENCE, |counts| counts.total() >= BASELINE_REQUESTS).await);
    let release = house.admin().deploy(SERVICE, "bad", true).await.unwrap();
    assert_eq!(house.until_final(&release).await, "reverted");
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
    assert!(counts.of("green") > 0, "the candidate had traffic: {counts:?}");
    let last = house.admin().release(&release).await.unwrap();
    assert_eq!(last.verdict.as_deref(), Some("fail"), "{last:?}");
    println!(
        "RESULT shield: 30 % of the candidate's GETs lost, {} requests, {} seen by clients, {}",
        counts.total(),
        counts.lost(),
        last.reason
    );
}
