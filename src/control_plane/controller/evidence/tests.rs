use super::ailment;
use crate::health::{ProbeFailure, ProbeOutcome, Roster, Thresholds};
use crate::model::{Endpoint, EndpointId, Tick};

#[test]
fn probes_that_fail_now_and_then_are_counted_although_the_endpoint_is_healthy() {
    let mut roster = Roster::default();
    let id = EndpointId::from("e1");
    let address = ([127, 0, 0, 1], 80).into();
    roster.set_endpoints(&[Endpoint { id: id.clone(), address, probe: None }]);
    assert_eq!(ailment(&roster), None);
    let thresholds = Thresholds { rise: 2, fall: 3 };
    let mut said = Vec::new();
    for second in 0..9 {
        let outcome =
            if second % 3 == 2 { ProbeOutcome::Fail(ProbeFailure::Status(503)) } else { ProbeOutcome::Pass };
        roster.observe(None, &id, &outcome, thresholds, Tick::from_millis(second * 1000));
        said.push(ailment(&roster));
    }
    assert_eq!(roster.summary().healthy, 1);
    assert_eq!(said[2].as_deref(), Some("status 503 (1 failed probe)"));
    assert_eq!(said[4], said[2], "a probe that passes changes no word");
    assert_eq!(said[8].as_deref(), Some("status 503 (3 failed probes)"));
}
