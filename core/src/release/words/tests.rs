use super::*;

#[test]
fn long_durations_are_in_units_that_people_read() {
    for (total, text) in [
        (0, "0 s"),
        (300, "300 s"),
        (3599, "3599 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (86_400, "1 day"),
        (90_061, "1 day 1 h"),
        (259_200, "3 days"),
    ] {
        assert_eq!(seconds(Duration::from_secs(total)), text);
    }
    assert_eq!(seconds(Duration::from_millis(12_500)), "12.5 s");
}
