//! Tables of hosts, and properties of the pick and of the lookup by host.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    Candidate, ColorRoute, HostFault, Pick, RouteTable, ServiceRoute, ServiceSettings, TableBuilder,
    WEIGHT_FULL, normalize_host, pick_two, slow_weight,
};
use crate::model::{Color, Epoch, PerColor, ServiceName};

fn normal(host: &str) -> Result<String, HostFault> {
    let mut out = [0; 256];
    normalize_host(host.as_bytes(), &mut out).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn hosts_are_brought_into_their_normal_form() {
    let long = "a.".repeat(126) + "a";
    let table = [
        ("example.org", "example.org"),
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("example.org:8080", "example.org"),
        ("example.org.:443", "example.org"),
        ("example.org:", "example.org"),
        ("example.org:0", "example.org"),
        ("example.org:65535", "example.org"),
        ("example.org:000080", "example.org"),
        ("my_app-1.internal", "my_app-1.internal"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::1]:443", "[::1]"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ("[2001:DB8::A]", "[2001:db8::a]"),
        ("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"),
        (&long, &long),
    ];
    for (host, form) in table {
        assert_eq!(normal(host).as_deref(), Ok(form), "{host:?}");
    }
}

#[test]
fn texts_that_are_not_hosts_are_refused() {
    let long = "a.".repeat(126) + "ab";
    let hosts = [
        "",
        ".",
        "..",
        ":80",
        ".:80",
        ".example.org",
        "a..b",
        "example.org..",
        "a b",
        " a",
        "a ",
        "a\t",
        "a/b",
        "a@b",
        "user@example.org",
        "a%20b",
        "a,b",
        "a;b",
        "a*b",
        "*.example.org",
        "a\\b",
        "a\"b",
        "a\0",
        "b\u{fc}cher.example",
        "example.org:65536",
        "example.org:99999999999999999999",
        "example.org:-1",
        "example.org:+1",
        "example.org:8o",
        "example.org:80:80",
        "::1",
        "[::1",
        "::1]",
        "[]",
        "[::1]x",
        "[::1]:x",
        "[::1]]",
        "[::1].",
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[v1.x]",
        "[127.0.0.1]",
        "[::1]:65536",
        long.as_str(),
    ];
    for host in hosts {
        assert_eq!(normal(host), Err(HostFault), "{host:?}");
    }
    let mut out = [0; 256];
    assert_eq!(normalize_host(b"a\xff", &mut out), Err(HostFault));
    assert_eq!(normalize_host(&vec![b'a'; 100_000], &mut out), Err(HostFault));
}

fn service(name: &str, hosts: &[&str]) -> ServiceRoute {
    let color = |color: Color| {
        let exact = hosts.iter().filter(|host| !host.starts_with('*'));
        exact.map(|host| format!("{color}.{host}")).collect()
    };
    ServiceRoute {
        name: ServiceName::from(name),
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        preview_hosts: PerColor::from_fn(color),
        default: false,
        active: Color::Blue,
        epoch: Epoch(0),
        paused: false,
        canary_percent: 0,
        baking: false,
        slow_after: None,
        stall_after: None,
        colors: PerColor::from_fn(|_| ColorRoute::default()),
        settings: Arc::new(ServiceSettings::default()),
    }
}

fn table(services: Vec<ServiceRoute>) -> RouteTable {
    TableBuilder::build(&RouteTable::default(), services.into_iter().map(Arc::new).collect())
}

/// The result of a lookup as text: `service`, `service/color` for a preview host, or `-` for no service.
fn found(table: &RouteTable, host: &str) -> String {
    match table.find(host.as_bytes()) {
        None => "-".to_owned(),
        Some(found) => {
            assert_eq!(table.services()[found.index].name, found.service.name);
            match found.preview {
                None => found.service.name.to_string(),
                Some(color) => format!("{}/{color}", found.service.name),
            }
        }
    }
}

#[test]
fn lookups() {
    let mut services = vec![
        service("web", &["example.org", "WWW.Example.org."]),
        service("all", &["*.example.org"]),
        service("deep", &["*.deep.example.org", "api.deep.example.org"]),
        service("six", &["[2001:db8:0::1]", "192.0.2.1"]),
    ];
    let hosts = [
        ("example.org", "web"),
        ("EXAMPLE.org.:8443", "web"),
        ("www.example.org", "web"),
        ("blue.example.org", "web/blue"),
        ("Green.example.org:80", "web/green"),
        ("blue.api.deep.example.org", "deep/blue"),
        ("a.example.org", "all"),
        ("a.b.example.org", "all"),
        ("deep.example.org", "all"),
        ("a.deep.example.org", "deep"),
        ("a.b.deep.example.org", "deep"),
        ("xdeep.example.org", "all"),
        ("api.deep.example.org", "deep"),
        ("[2001:DB8::0:1]:80", "six"),
        ("192.0.2.1:80", "six"),
        ("notexample.org", "-"),
        ("org", "-"),
        ("*.example.org", "-"),
        (".example.org", "-"),
        ("", "-"),
    ];
    let plain = table(services.clone());
    for (host, expected) in hosts {
        assert_eq!(found(&plain, host), expected, "{host:?}");
    }
    assert!(plain.find_default().is_none());

    services[1].default = true;
    let fallback = table(services);
    assert_eq!(found(&fallback, "elsewhere.test"), "all");
    assert_eq!(found(&fallback, "www.example.org"), "web");
    assert_eq!(found(&fallback, "no host"), "-", "what is no host has no default either");
    assert_eq!(fallback.find_default().unwrap().index, 1);
}

#[test]
fn the_first_claim_on_a_host_counts_and_a_public_one_over_a_preview_one() {
    let table =
        table(vec![service("one", &["example.org"]), service("two", &["example.org", "blue.example.org"])]);
    assert_eq!(found(&table, "example.org"), "one");
    assert_eq!(found(&table, "blue.example.org"), "two");
    assert_eq!(found(&table, "green.example.org"), "one/green");
}

#[test]
fn the_index_is_kept_while_hosts_stay() {
    let first = table(vec![service("one", &["one.test"]), service("two", &["two.test"])]);
    assert_eq!(first.generation(), 1);
    let mut switched = service("one", &["one.test"]);
    switched.active = Color::Green;
    let kept = Arc::clone(&first.services()[1]);
    let second = TableBuilder::build(&first, vec![Arc::new(switched), kept]);
    assert_eq!(second.generation(), 2);
    assert!(Arc::ptr_eq(&first.index, &second.index));
    assert_eq!(second.find(b"one.test").unwrap().service.active, Color::Green);

    let moved = TableBuilder::build(&second, second.services().iter().rev().cloned().collect());
    assert!(!Arc::ptr_eq(&second.index, &moved.index), "positions have changed");
    assert_eq!((found(&moved, "one.test"), found(&moved, "two.test")), ("one".into(), "two".into()));

    let mut claims = service("two", &["two.test"]);
    claims.default = true;
    let defaulted = TableBuilder::build(&first, vec![Arc::clone(&first.services()[0]), Arc::new(claims)]);
    assert_eq!(found(&defaulted, "elsewhere.test"), "two");
    let fewer = TableBuilder::build(&first, vec![Arc::clone(&first.services()[0])]);
    assert_eq!(found(&fewer, "two.test"), "-");
}

/// A small source of random bits with a seed: splitmix64 (Steele, Lea, Flood, "Fast Splittable
/// Pseudorandom Number Generators", OOPSLA 2014).
fn random_bits(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Picks among endpoints that all have their whole share.
fn pick(count: usize, random: u64, load: impl Fn(usize) -> u32) -> Option<usize> {
    let look = |index| Candidate { load: load(index), weight: WEIGHT_FULL, is_out: false };
    pick_two(count, random, look).map(|pick| match pick {
        Pick::One(index) => index,
        Pick::BothOut => panic!("no endpoint is out"),
    })
}

#[test]
fn equal_loads_are_picked_evenly() {
    let mut state = 7;
    for count in [2_usize, 3, 5, 16] {
        let mut picks = vec![0_u32; count];
        for _ in 0..20_000 {
            picks[pick(count, random_bits(&mut state), |_| 4).unwrap()] += 1;
        }
        let mean = 20_000.0 / f64::from(u32::try_from(count).unwrap());
        // The slack is six standard deviations. A fair pick would fail once in 10^8 runs, and the seed
        // makes every run the same.
        let slack = 6.0 * mean.sqrt();
        assert!(picks.iter().all(|&n| (f64::from(n) - mean).abs() < slack), "{picks:?}");
    }
}

#[test]
fn a_full_endpoint_gets_nothing_while_another_is_free() {
    let mut state = 3;
    for _ in 0..1000 {
        let bits = random_bits(&mut state);
        assert_eq!(pick(2, bits, |i| if i == 0 { 9 } else { 0 }), Some(1), "both are always looked at");
        assert_ne!(pick(8, bits, |i| if i == 5 { 9 } else { 0 }), Some(5));
    }
}

#[test]
fn the_ends_of_the_random_range() {
    for count in 0..70 {
        for bits in [0, u64::MAX, u64::from(u32::MAX), u64::from(u32::MAX) << 32] {
            let picked = pick(count, bits, |_| 0);
            assert_eq!(picked.is_some(), count > 0);
            assert!(picked.is_none_or(|at| at < count));
        }
    }
}

#[test]
fn requests_in_flight_stay_level() {
    // 10 000 requests that never end go to 50 endpoints. The mean is 200, and no endpoint may have many
    // more.
    let (mut loads, mut state) = (vec![0_u32; 50], 11);
    for _ in 0..10_000 {
        let at = pick(50, random_bits(&mut state), |i| loads[i]).unwrap();
        loads[at] += 1;
    }
    assert!(loads.iter().all(|&load| (190..=206).contains(&load)), "{loads:?}");
}

#[test]
fn an_endpoint_that_is_out_gets_nothing_while_the_other_is_in() {
    let mut state = 5;
    for _ in 0..1000 {
        let bits = random_bits(&mut state);
        let only = |out: [bool; 2]| {
            pick_two(2, bits, |at| Candidate { load: 0, weight: WEIGHT_FULL, is_out: out[at] })
        };
        assert_eq!(only([true, false]), Some(Pick::One(1)));
        assert_eq!(only([false, true]), Some(Pick::One(0)));
        assert_eq!(only([true, true]), Some(Pick::BothOut));
    }
}

#[test]
fn an_endpoint_in_its_slow_start_gets_its_part_of_its_share() {
    let mut state = 13;
    let mut picks = [0_u32; 2];
    let weights = [slow_weight(50, 100), WEIGHT_FULL];
    for _ in 0..20_000 {
        let look = |at: usize| Candidate { load: 0, weight: weights[at], is_out: false };
        let Some(Pick::One(at)) = pick_two(2, random_bits(&mut state), look) else { panic!("two are there") };
        picks[at] += 1;
    }
    let expected = 20_000 * weights[0] / WEIGHT_FULL / 2;
    assert!(picks[0].abs_diff(expected) < 500, "{picks:?}, expected {expected}");
}

proptest! {
    #[test]
    fn a_pick_is_in_range_and_no_worse_than_the_worst(
        loads in proptest::collection::vec(0_u32..4, 1..40),
        bits: u64,
    ) {
        let at = pick(loads.len(), bits, |i| loads[i]).unwrap();
        let worst = *loads.iter().max().unwrap();
        let alone = loads.iter().filter(|&&load| load == worst).count() == 1;
        prop_assert!(loads.len() == 1 || !(alone && loads[at] == worst));
    }

    /// No bytes cause a panic, and a normalized host is its own normal form.
    #[test]
    fn normal_forms_are_fixed_points(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (mut out, mut again) = ([0; 256], [0; 256]);
        if let Ok(form) = normalize_host(&bytes, &mut out) {
            prop_assert_eq!(normalize_host(form, &mut again), Ok(form));
        }
    }

    #[test]
    fn case_port_and_final_dot_do_not_matter(
        name in "[a-z0-9_-]{1,10}(\\.[a-z0-9_-]{1,10}){0,5}",
        upper in any::<u64>(),
        port in proptest::option::of(0_u16..),
        dot: bool,
    ) {
        let cased: String = name.chars().enumerate()
            .map(|(i, c)| if upper >> (i % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        let written = format!(
            "{cased}{}{}",
            if dot { "." } else { "" },
            port.map(|port| format!(":{port}")).unwrap_or_default()
        );
        prop_assert_eq!(normal(&written), Ok(name));
    }

    /// The index finds the same service as a plain search over every pattern.
    #[test]
    fn lookups_are_those_of_a_plain_search(
        patterns in proptest::collection::vec("(\\*\\.)?[ab](\\.[ab]){0,3}", 1..12),
        host in "[ab](\\.[ab]){0,5}",
    ) {
        let services = patterns.iter().map(|pattern| {
            let mut route = service(pattern, &[pattern]);
            route.preview_hosts = PerColor::default();
            route
        }).collect();
        let table = table(services);
        let wild = patterns.iter()
            .filter(|p| p.strip_prefix('*').is_some_and(|suffix| host.ends_with(suffix)))
            .max_by_key(|p| p.len());
        let expected = patterns.iter().find(|p| **p == host).or(wild);
        prop_assert_eq!(found(&table, &host), expected.map_or("-", |p| p.as_str()));
    }
}

#[test]
fn endpoints_that_are_out_are_tried_once_they_are_more_than_half() {
    for (out, all) in [(1, 1), (2, 3), (3, 4), (usize::MAX, usize::MAX)] {
        assert!(super::tries_all(out, all), "{out} of {all}");
    }
    for (out, all) in [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4)] {
        assert!(!super::tries_all(out, all), "{out} of {all}");
    }
}
