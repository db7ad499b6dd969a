use super::*;

fn answer() -> Arc<Stored> {
    Arc::new(Stored { status: axum::http::StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() })
}

#[test]
fn a_key_is_good_for_a_day() {
    let memory = Memory::default();
    let day = Tick::ZERO + KEPT;
    assert!(matches!(memory.turn("k", 1, Tick::ZERO), Turn::First(..)));
    assert!(matches!(memory.turn("k", 1, day - Duration::from_millis(1)), Turn::Again(_)));
    assert!(matches!(memory.turn("k", 2, day - Duration::from_millis(1)), Turn::Reused));
    assert!(matches!(memory.turn("k", 2, day), Turn::First(..)));
}

#[test]
fn the_oldest_answered_key_makes_room() {
    let memory = Memory::default();
    let mut senders = Vec::new();
    for index in 0..KEYS_MAX {
        match memory.turn(&format!("k{index}"), 1, Tick::ZERO) {
            Turn::First(sender, _) => senders.push(sender),
            _ => panic!("k{index} is new"),
        }
    }
    // No key is answered, so there is no room, and no key of a running request is forgotten.
    assert!(matches!(memory.turn("more", 1, Tick::ZERO), Turn::Full));
    senders[5].send_replace(Some(answer()));
    assert!(matches!(memory.turn("more", 1, Tick::ZERO), Turn::First(..)));
    assert!(matches!(memory.turn("k0", 1, Tick::ZERO), Turn::Again(_)));
    assert!(matches!(memory.turn("k5", 1, Tick::ZERO), Turn::Full));
}

#[test]
fn a_forgotten_key_is_new() {
    let memory = Memory::default();
    let first = memory.turn("k", 1, Tick::ZERO);
    assert!(matches!(first, Turn::First(..)));
    memory.forget("k");
    assert!(matches!(memory.turn("k", 2, Tick::ZERO), Turn::First(..)));
}
