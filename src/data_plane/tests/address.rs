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
