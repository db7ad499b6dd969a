#![allow(clippy::unwrap_used)]
use super::*;

const DAY: i64 = 24 * 3600;

fn said(begins: i64, ends: i64) -> Said {
    Said { names: vec!["app.test".to_owned()], begins, ends }
}

#[test]
fn a_certificate_is_warned_of_near_its_end_and_behind_it() {
    // A year, seen at its end.
    let year = said(0, 365 * DAY);
    assert_eq!(warning("x", &year, 357 * DAY), None);
    assert_eq!(warning("x", &year, 359 * DAY).unwrap(), "x: the certificate for app.test ends on 1971-01-01");
    assert_eq!(
        warning("x", &year, 365 * DAY).unwrap(),
        "x: the certificate for app.test ended on 1971-01-01; clients refuse it"
    );
    // A certificate that lives for a day is renewed every few hours, and is not always near its end.
    assert_eq!(warning("x", &said(0, DAY), DAY / 2), None);
    assert!(warning("x", &said(0, DAY), DAY - 3600).is_some());
    let unnamed = Said { names: Vec::new(), ..year };
    assert!(warning("1.2.3.4:443", &unnamed, 366 * DAY).unwrap().contains("for 1.2.3.4:443 ended"));
}
