//! An endpoint that fails one attempt after the other leaves its pool until its probes bring it back.

use greenlight::model::Color;

use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::origin::{Origin, with_length};

#[test]
fn five_failed_attempts_in_a_row_take_an_endpoint_out_until_the_table_brings_it_back() {
    let good = Origin::naming("good");
    let other = Origin::naming("good");
    let bad = Origin::answering(with_length("HTTP/1.1 500 Broken", b"bad"));
    let mut front = Front::between(&[good.address, bad.address, other.address], &[]);
    let mut client = front.client();
    let mut failed = 0;
    for _ in 0..1000 {
        failed += usize::from(client.get(HOST, "/").status == 500);
    }
    assert_eq!(failed, 5, "the fifth is the last");
    let suspect = front.suspected.blocking_recv().unwrap();
    assert!(suspect.ejected);
    assert_eq!(suspect.endpoint.as_str(), format!("app/blue/{}", bad.address));
    assert_eq!(front.metric("greenlight_ejections_total{color=\"blue\",service=\"app\"}"), Some(1.0));
    // It is told again until the table says that it is back.
    assert!(front.suspected.blocking_recv().unwrap().ejected);
    front.change(|service| service.colors[Color::Blue].endpoints[1].returns = 1);
    let came = (0..2000).any(|_| client.get(HOST, "/").status == 500);
    assert!(came, "it is asked again");
}
