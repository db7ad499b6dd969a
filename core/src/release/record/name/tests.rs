#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::StateName;

#[test]
fn a_name_is_the_same_printed_and_stored() {
    for name in StateName::ALL {
        assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        assert_eq!(StateName::from_word(name.as_str()), Some(name));
    }
    assert_eq!(StateName::from_word("note"), None);
}
