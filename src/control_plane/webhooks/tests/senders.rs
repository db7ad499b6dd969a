//! Tests of tokens, signatures, rates and replays.

use crate::control_plane::webhooks::credential::{Signing, TokenHash, check_token};
use crate::control_plane::webhooks::rate::Rate;
use crate::control_plane::webhooks::replay::{Replay, in_window};
use crate::model::Tick;

#[test]
fn tokens() {
    let token = "0123456789abcdef0123456789abcdef";
    let hash = TokenHash::of(token);
    assert!(hash.is(token));
    for other in ["", "0123456789abcdef0123456789abcdee", "0123456789abcdef0123456789abcdef0"] {
        assert!(!hash.is(other) && !TokenHash::DECOY.is(other), "{other}");
    }
    assert!(!TokenHash::DECOY.is(token));
    assert_eq!(format!("{hash:?}"), "TokenHash(..)");
    assert!(check_token(token).is_ok());
    for bad in [
        "",
        "short",
        "0123456789abcdef01234",
        "0123456789abcdef/123456789abcdef",
        "0123456789abcdef 123456789",
    ] {
        assert!(check_token(bad).is_err(), "{bad}");
    }
}

/// GitHub's own example (docs.github.com, "Validating webhook deliveries").
#[test]
fn signatures() {
    let signing = Signing::new("It's a Secret to Everybody");
    let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(signing.signed_sha256(good, b"Hello, World!"));
    assert!(signing.signed_sha256(&good.to_uppercase().replace("SHA256", "sha256"), b"Hello, World!"));
    for bad in [
        "",
        "sha256=",
        "sha256=00",
        "757107ea",
        &good[..70],
        &good.replace("757", "857"),
        "sha256=zz",
        "sha1=00",
    ] {
        assert!(!signing.signed_sha256(bad, b"Hello, World!"), "{bad}");
    }
    assert!(!signing.signed_sha256(good, b"Hello, World"));
    assert!(!signing.signed_sha1(good, b"Hello, World!"));
    assert!(
        signing.signed_at("1", good, b"Hello, World!").is_none(),
        "without its time it is another signature"
    );
    assert_eq!(format!("{signing:?}"), "Signing(..)");
}

#[test]
fn rates() {
    let mut rate = Rate::new(3, 2);
    let mut taken = |at: i64| rate.take(Tick(at));
    assert_eq!([taken(0), taken(0), taken(0), taken(0)], [true, true, true, false]);
    assert_eq!([taken(499), taken(500), taken(501)], [false, true, false]);
    // A clock that stands still or goes back gives no token. A long pause gives no more than the burst.
    assert_eq!([taken(400), taken(401)], [false, false]);
    assert_eq!(
        [taken(i64::MAX), taken(i64::MAX), taken(i64::MAX), taken(i64::MAX)],
        [true, true, true, false]
    );
}

#[test]
fn replays() {
    assert!(in_window(1000, 1300) && in_window(1300, 1000) && in_window(1000, 1000));
    assert!(!in_window(1000, 1301) && !in_window(1301, 1000) && !in_window(u64::MAX, 0));
    let mut replay = Replay::default();
    let first = |replay: &mut Replay, signature: [u8; 32], at: u64, now: u64| {
        let known = replay.knows(&signature, now);
        if !known {
            replay.remember(signature, at);
        }
        !known
    };
    assert!(first(&mut replay, [1; 32], 1000, 1000));
    assert!(!first(&mut replay, [1; 32], 1000, 1299));
    assert!(first(&mut replay, [2; 32], 1000, 1299));
    // The signature is remembered in its last second. It is forgotten when its message is too old to be
    // accepted.
    assert!(!first(&mut replay, [1; 32], 1000, 1300));
    assert!(first(&mut replay, [1; 32], 1000, 1301));
    // A message that was refused is not remembered, so it can be sent again.
    assert!(!replay.knows(&[3; 32], 1301) && !replay.knows(&[3; 32], 1301));
    // The memory has a limit. Without room, no message is accepted, because it could come again.
    let mut full = Replay::default();
    let number = |n: u32| {
        let mut signature = [0; 32];
        signature[..4].copy_from_slice(&n.to_be_bytes());
        signature
    };
    assert!((0..8192).all(|n| first(&mut full, number(n), 1000, 1000)));
    assert!(!first(&mut full, number(8192), 1000, 1000));
    assert!(first(&mut full, number(8192), 1301, 1301));
}
