use super::*;

fn answer() -> Arc<Stored> {
    Arc::new(Stored { status: axum::http::StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() })
}

#[test]
fn a_key_is_good_for_a_day() {
    let memory = Memory::default();
    let day = Tick::ZERO + KEPT;
    assert!(matches!(memory.meaning("k", 1, Tick::ZERO), KeyMeaning::First(..)));
    assert!(matches!(memory.meaning("k", 1, day - Duration::from_millis(1)), KeyMeaning::Again(_)));
    assert!(matches!(memory.meaning("k", 2, day - Duration::from_millis(1)), KeyMeaning::Reused));
    assert!(matches!(memory.meaning("k", 2, day), KeyMeaning::First(..)));
}

#[test]
fn the_oldest_answered_key_makes_room() {
    let memory = Memory::default();
    let mut senders = Vec::new();
    for index in 0..KEYS_MAX {
        match memory.meaning(&format!("k{index}"), 1, Tick::ZERO) {
            KeyMeaning::First(sender, _) => senders.push(sender),
            _ => panic!("k{index} is new"),
        }
    }
    // No key is answered, so there is no room, and no key of a running request is forgotten.
    assert!(matches!(memory.meaning("more", 1, Tick::ZERO), KeyMeaning::Full));
    senders[5].send_replace(Some(answer()));
    assert!(matches!(memory.meaning("more", 1, Tick::ZERO), KeyMeaning::First(..)));
    assert!(matches!(memory.meaning("k0", 1, Tick::ZERO), KeyMeaning::Again(_)));
    assert!(matches!(memory.meaning("k5", 1, Tick::ZERO), KeyMeaning::Full));
}

#[test]
fn a_forgotten_key_is_new() {
    let memory = Memory::default();
    let first = memory.meaning("k", 1, Tick::ZERO);
    assert!(matches!(first, KeyMeaning::First(..)));
    memory.forget("k");
    assert!(matches!(memory.meaning("k", 2, Tick::ZERO), KeyMeaning::First(..)));
}
