use crate::data_plane::worker::address::Addresses;

#[test]
fn an_address_has_so_many_connections_and_gets_them_back() {
    let addresses = Addresses::new(2);
    let first = addresses.enter([10, 0, 0, 1].into()).unwrap();
    let _second = addresses.enter([10, 0, 0, 1].into()).unwrap();
    assert!(addresses.enter([10, 0, 0, 1].into()).is_err());
    assert!(
        addresses.enter("::ffff:10.0.0.1".parse().unwrap()).is_err(),
        "the same address, written as IPv6"
    );
    assert!(addresses.enter([10, 0, 0, 2].into()).is_ok());
    drop(first);
    assert!(addresses.enter([10, 0, 0, 1].into()).is_ok());
}

#[test]
fn one_client_of_ipv6_is_a_network_of_64_bits() {
    let addresses = Addresses::new(1);
    let _first = addresses.enter("2001:db8::1".parse().unwrap()).unwrap();
    assert!(addresses.enter("2001:db8::2:0:0:1".parse().unwrap()).is_err());
    assert!(addresses.enter("2001:db8:0:1::1".parse().unwrap()).is_ok());
}

#[test]
fn nothing_is_counted_when_it_is_off() {
    let addresses = Addresses::new(0);
    assert!((0..1000).all(|_| addresses.enter([10, 0, 0, 1].into()).unwrap().is_none()));
}

/// One host of IPv6 may use every address of a /64, and is one client of the judge all the same.
#[test]
fn the_judge_takes_a_network_of_64_bits_for_one_client() {
    let key = |address: &str| crate::data_plane::request::serve::client_key(address.parse().unwrap());
    assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:1:2:3"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_eq!(key("::ffff:203.0.113.7"), key("203.0.113.7"), "the same address, written as IPv6");
    assert_ne!(key("203.0.113.7"), key("203.0.113.8"));
}
