//! Route templates, their counts and their rules.

use super::super::routes::{ROUTES_PER_SECOND_MAX, Routes};
use super::super::{BaselineWindow, ROUTES_MAX, RouteTemplate, TripRule};
use super::*;

fn template(target: &str) -> String {
    RouteTemplate::new(b"GET", target.as_bytes()).as_str().to_owned()
}

#[test]
fn ids_are_folded_and_words_are_kept() {
    for (target, expected) in [
        ("/", "GET /"),
        ("", "GET "),
        ("*", "GET *"),
        ("/orders", "GET /orders"),
        ("/orders/", "GET /orders/"),
        ("/orders/17/lines?token=secret", "GET /orders/{id}/lines"),
        ("/orders/17#part", "GET /orders/{id}"),
        ("/v2/users/0b8c9f3e-26a7-4a4e-9a52-0d4f3a9be311", "GET /v2/users/{id}"),
        ("/blob/d41d8cd98f00b204e9800998ecf8427e", "GET /blob/{id}"),
        ("/static/app.3f2a1b9c.js", "GET /static/{id}"),
        ("/static/main.css", "GET /static/main.css"),
        ("/wiki/get-2-factor-v2", "GET /wiki/get-2-factor-v2"),
        ("/invoices/INV-2024-0099", "GET /invoices/{id}"),
        ("/reset/eyJhbGciOiJIUzI1NiJ9", "GET /reset/{id}"),
        ("/s/AbCdEfGhIjKlMnOpQrStUvWxYz", "GET /s/{id}"),
        ("/mail/jane@example.org", "GET /mail/{id}"),
        ("/search/caf%C3%A9", "GET /search/{id}"),
        ("/cart;jsessionid=AF3912", "GET /{id}"),
        ("/feedback", "GET /feedback"),
    ] {
        assert_eq!(template(target), expected, "{target}");
    }
    let long = template(&"/some/deep".repeat(40));
    assert!(long.len() <= super::super::route::ROUTE_BYTES_MAX && long.ends_with("/*"), "{long}");
    assert_eq!(RouteTemplate::new(b"BREW", b"/pot").as_str(), "OTHER /pot");
    assert_ne!(RouteTemplate::new(b"PUT", b"/a").key(), RouteTemplate::new(b"GET", b"/a").key());
    let again = RouteTemplate::from("GET /orders/{id}");
    assert_eq!(again.key(), RouteTemplate::new(b"GET", b"/orders/5").key(), "the text is the identity");
}

#[test]
fn counts_are_exact_up_to_the_limit_and_bounded_past_it() {
    let route = |n: usize| RouteTemplate::from(format!("GET /word-{n}").as_str());
    let mut routes = Routes::default();
    for n in 0..1000 {
        routes.add(&route(n % 200), 1, u32::from(n % 2 == 0));
    }
    let all: Vec<_> = routes.iter().collect();
    assert_eq!(all.len(), ROUTES_PER_SECOND_MAX);
    assert!(all.iter().all(|count| count.requests == 5), "all or nothing of a route");
    let mut busy = Routes::default();
    busy.add(&route(500), 100, 7);
    routes.merge(&busy);
    assert_eq!(routes.iter().count(), ROUTES_PER_SECOND_MAX);
    let kept = routes.iter().find(|count| count.route == route(500)).unwrap();
    assert_eq!((kept.requests, kept.errors), (100, 7), "the busiest are kept");
}

#[test]
fn workers_add_up() {
    let mut pooled = Bucket::default();
    let mut workers = [Bucket::default(), Bucket::default(), Bucket::default()];
    for i in 0..3000_u64 {
        let route = RouteTemplate::new(b"GET", format!("/r{}", i % 40).as_bytes());
        let outcome = if i % 7 == 0 { Outcome::Error } else { Outcome::Success };
        pooled.record(i % 20, outcome, None);
        pooled.record_route(&route, i % 20, outcome);
        let worker = &mut workers[(i % 3) as usize];
        worker.record(i % 20, outcome, None);
        worker.record_route(&route, i % 20, outcome);
    }
    let [mut sum, second, third] = workers;
    sum.merge(&second);
    sum.merge(&third);
    let counts = |bucket: &Bucket| {
        let mut all: Vec<_> = bucket
            .routes()
            .map(|count| (count.route.as_str().to_owned(), count.requests, count.errors))
            .collect();
        all.sort();
        all
    };
    assert_eq!(counts(&sum), counts(&pooled));
    assert_eq!((sum.requests, sum.errors), (pooled.requests, pooled.errors));
    let text = serde_json::to_string(&sum).unwrap();
    assert_eq!(serde_json::from_str::<Bucket>(&text).unwrap(), sum);
}

/// A second of 100 requests. One is for `/rare`, and the others are spread over `routes` more.
fn second(routes: usize, rare_fails: bool) -> Bucket {
    let mut bucket = Bucket::default();
    for i in 0..100_u64 {
        let target = if i == 0 { "/rare/5".to_owned() } else { format!("/r-{}", i % routes as u64) };
        let route = RouteTemplate::new(b"GET", target.as_bytes());
        let outcome = if i == 0 && rare_fails { Outcome::Error } else { Outcome::Success };
        let client = Random(i).bits();
        bucket.record(client, outcome, None);
        bucket.record_route(&route, client, outcome);
    }
    bucket
}

fn judge_of(routes: usize) -> Judge {
    let policy = Policy::default();
    let mut window = BaselineWindow::default();
    for _ in 0..600 {
        window.push(&second(routes, false), &policy);
    }
    let baseline = window.freeze(&policy);
    assert_eq!(baseline.routes.len(), (routes + 1).min(ROUTES_MAX));
    let baseline = Baseline { clients: 5, ..baseline };
    Judge::new(baseline, policy, 30_000.0)
}

#[test]
fn a_rare_route_that_breaks_is_found_and_named() {
    let mut judge = judge_of(10);
    assert_eq!(judge.numbers().routes_judged, 11);
    let took = (1..=300).find(|_| judge.observe(&second(10, true)).is_some());
    assert!(took.is_some_and(|seconds| (4..=40).contains(&seconds)), "{took:?}");
    let numbers = judge.numbers();
    assert_eq!(numbers.rule, Some(TripRule::Route));
    assert_eq!(numbers.routes[0].route, "GET /rare/{id}");
    assert!(numbers.routes[0].tripped && numbers.s < numbers.h, "all errors together say nothing yet");
    let text = serde_json::to_string(&judge).unwrap();
    assert_eq!(serde_json::from_str::<Judge>(&text).unwrap(), judge);
}

#[test]
fn a_route_without_a_past_is_shown_and_not_judged() {
    let mut judge = judge_of(10);
    let mut bucket = Bucket::default();
    for _ in 0..300 {
        bucket.clear();
        let route = RouteTemplate::new(b"POST", b"/new");
        bucket.record(1, Outcome::Error, None);
        bucket.record_route(&route, 1, Outcome::Error);
        bucket.add(None, 999, 0);
        assert_eq!(judge.observe(&bucket), None);
    }
    let shown = &judge.numbers().routes[0];
    assert_eq!((shown.route.as_str(), shown.n, shown.e, shown.rule_on), ("POST /new", 300, 300, false));
}

#[test]
fn memory_is_bounded_for_any_paths() {
    let policy = Policy::default();
    let mut window = BaselineWindow::default();
    let mut name = 0_u64;
    for _ in 0..700 {
        let mut bucket = Bucket::default();
        for _ in 0..300 {
            name += 1;
            let mut letters = String::new();
            let mut rest = name;
            while rest > 0 {
                letters.push(char::from(b'a' + (rest % 26) as u8));
                rest /= 26;
            }
            let route = RouteTemplate::new(b"GET", format!("/user/{letters}").as_bytes());
            bucket.record(name, Outcome::Success, None);
            bucket.record_route(&route, name, Outcome::Success);
        }
        assert!(bucket.routes().count() <= ROUTES_PER_SECOND_MAX);
        window.push(&bucket, &policy);
    }
    let baseline = window.freeze(&policy);
    assert!(baseline.routes.len() <= ROUTES_MAX);
}
