#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn durations() {
    let good = [("90s", 90_000), ("1h30m", 5_400_000), ("250ms", 250), ("2d", 172_800_000)];
    for (text, millis) in good {
        assert_eq!(duration("for", Some(text)).unwrap(), Some(Duration::from_millis(millis)), "{text}");
    }
    for text in [
        "",
        "0s",
        "1",
        "s",
        "-1s",
        "1 h",
        "1.5h",
        "01s",
        "123456789s",
        "1w",
        "1h 30m",
        "١s",
        "1000d",
        "30m1h",
        "1h1h",
        "1é",
    ] {
        assert!(duration("for", Some(text)).is_err(), "{text}");
    }
    let longest = duration("for", Some("999d9999h999999m99999999s999999999ms")).unwrap().unwrap();
    assert!(longest < Duration::from_hours(24 * 3660), "{longest:?}");
    assert_eq!(duration("for", None).unwrap(), None);
}

#[test]
fn texts() {
    let long = "x".repeat(256);
    for bad in ["", "a\nb", "\u{7f}", long.as_str()] {
        assert!(text("version", Some(bad.to_owned())).is_err(), "{bad:?}");
    }
    let exact = "é".repeat(255);
    assert_eq!(text("version", Some(exact.clone())).unwrap(), Some(exact));
}
