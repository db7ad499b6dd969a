//! Numbers that a person has configured: requests in flight, a queue, connections of one address;
//! previews by token; pages in place of our sentences.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use greenlight::model::Color;
use greenlight::routing::ErrorPage;

use greenlight_testkit::client::{Client, PATIENCE};
use greenlight_testkit::front::{Front, HOST, Setup, endpoints};
use greenlight_testkit::origin::{Origin, with_length};
use greenlight_testkit::queued::{GET, Queue};

fn limited(origin: &Origin, workers: usize, set: impl FnOnce(&mut Setup)) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.workers = workers;
    set(&mut setup);
    setup.start()
}

#[test]
fn so_many_requests_are_in_flight_so_many_wait_and_the_rest_get_503() {
    let (origin, arrivals, go) = Origin::held();
    // Over all workers: whoever a connection comes to.
    let front = limited(&origin, 3, |setup| {
        setup.settings().requests_max = 2;
        setup.settings().queue_max = 2;
        setup.settings().queue_timeout = PATIENCE;
    });
    let mut busy: Vec<_> = (0..2).map(|_| front.client()).collect();
    for client in &mut busy {
        client.send(GET);
        arrivals.recv_timeout(PATIENCE).unwrap();
    }
    let mut others: Vec<_> = (0..6).map(|_| front.client()).collect();
    for client in &mut others {
        client.send(GET);
    }
    // Four of the six are told at once, whichever: two wait.
    let mut waiting: Vec<usize> = (0..others.len()).collect();
    while waiting.len() > 2 {
        waiting.retain(|&index| !others[index].has_answer());
    }
    assert_eq!(waiting.len(), 2);
    assert!(arrivals.try_recv().is_err(), "nobody came in beside the two");
    for (index, client) in others.iter_mut().enumerate() {
        if !waiting.contains(&index) {
            let response = client.response();
            assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
            assert!(client.is_open(), "its connection is kept");
        }
    }
    for _ in 0..4 {
        go.send(()).unwrap();
    }
    for client in &mut busy {
        assert_eq!(client.response().text(), "held");
    }
    for index in waiting {
        assert_eq!(others[index].response().text(), "held");
    }
    assert_eq!(front.evidence(Color::Blue), (4, 0), "what never got to an origin is no evidence");
}

#[test]
fn who_waits_too_long_gets_503() {
    let (origin, arrivals, go) = Origin::held();
    let front = limited(&origin, 1, |setup| {
        setup.settings().requests_max = 1;
        setup.settings().queue_max = 1;
        setup.settings().queue_timeout = Duration::from_millis(150);
    });
    let mut busy = front.client();
    busy.send(GET);
    arrivals.recv_timeout(PATIENCE).unwrap();
    let mut late = front.client();
    assert_eq!(late.get(HOST, "/").status, 503);
    go.send(()).unwrap();
    assert_eq!(busy.response().text(), "held");
    go.send(()).unwrap();
    assert_eq!(late.get(HOST, "/").text(), "held", "there is room again");
}

#[test]
fn a_client_that_goes_away_leaves_its_place() {
    let (origin, arrivals, _go) = Origin::held();
    let front = limited(&origin, 1, |setup| setup.settings().requests_max = 1);
    for _ in 0..5 {
        let mut client = front.client();
        client.send(GET);
        arrivals.recv_timeout(PATIENCE).unwrap();
        socket2::SockRef::from(&client.socket).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        while front.inflight(Color::Blue) > 0 {
            std::thread::yield_now();
        }
    }
}

/// What is asked, and how the client leaves.
type Leave = (&'static str, fn(Client));

/// Ends the client's connection in a way that can't be a FIN.
fn reset(client: Client) {
    socket2::SockRef::from(&client.socket).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
}

#[test]
fn a_client_that_leaves_the_queue_gives_its_place_up_at_once() {
    let half = "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nhalf";
    let old = "GET / HTTP/1.0\r\nHost: app.test\r\n\r\n";
    let ways: [Leave; 4] = [(GET, drop), (GET, reset), (half, reset), (old, reset)];
    for (request, leave) in ways {
        let queue = Queue::open();
        let mut waiting = queue.front.client();
        waiting.send(request);
        assert!(queue.is_full(), "{request}");
        leave(waiting);
        queue.serves_the_next();
    }
}

#[test]
fn a_client_that_only_ends_its_side_keeps_its_place_in_the_queue() {
    for (version, hint) in [("1.1", true), ("1.0", false)] {
        let mut queue = Queue::open();
        let mut waiting = queue.front.client();
        waiting.send(format!("GET / HTTP/{version}\r\nHost: {HOST}\r\n\r\n"));
        waiting.half_close();
        assert!(queue.is_full(), "{version}");
        queue.release();
        queue.answer();
        let mut answer = waiting.response();
        if hint {
            assert_eq!(answer.status, 100, "asks whether it is there");
            answer = waiting.response();
        }
        assert_eq!(answer.text(), "held", "{version}");
    }
}

#[test]
fn a_pause_holds_those_who_wait_for_a_place_too() {
    let mut queue = Queue::open();
    let mut waiting = queue.front.client();
    waiting.send(GET);
    while !queue.is_full() {
        std::thread::yield_now();
    }
    queue.front.change(|service| service.paused = true);
    queue.release();
    queue.settle();
    assert!(waiting.is_open(), "it is held");
    assert_eq!(queue.origin.heads().len(), 1);
    queue.front.change(|service| service.paused = false);
    queue.answer();
    assert_eq!(waiting.response().text(), "held");
}

#[test]
fn a_client_that_leaves_a_pause_is_let_go() {
    let origin = Origin::naming("ok");
    let front = limited(&origin, 1, |setup| {
        setup.service.paused = true;
        setup.settings().pause_timeout = PATIENCE * 6;
    });
    for leave in [drop, reset] {
        let mut client = front.client();
        client.send(GET);
        while front.metric("greenlight_connections") != Some(1.0) {
            std::thread::yield_now();
        }
        leave(client);
        let begun = greenlight::clock::instant();
        while front.metric("greenlight_connections") != Some(0.0) {
            assert!(begun.elapsed() < PATIENCE, "its connection is held");
            std::thread::yield_now();
        }
    }
    assert_eq!(origin.connections(), 0);
}

#[test]
fn an_address_has_so_many_connections_unless_it_is_a_trusted_proxys() {
    let origin = Origin::naming("ok");
    for trusted in [false, true] {
        let front = limited(&origin, 2, |setup| {
            setup.limits.connections_per_address_max = 3;
            if trusted {
                setup.trusted = vec!["127.0.0.0/8".parse().unwrap()];
            }
        });
        let mut clients: Vec<_> = (0..3).map(|_| front.client()).collect();
        for client in &mut clients {
            assert_eq!(client.get(HOST, "/").text(), "ok");
        }
        let mut fourth = front.client();
        if trusted {
            assert_eq!(fourth.get(HOST, "/").text(), "ok");
            continue;
        }
        fourth.expect_end();
        assert_eq!(front.metric("greenlight_connections_refused_total"), Some(1.0));
        // One leaves, another may come: once it has been seen to leave.
        drop(clients.pop());
        let begun = std::iter::repeat_with(|| {
            let socket = TcpStream::connect(front.address).unwrap();
            greenlight_testkit::client::Client::of(socket)
        });
        let came = begun.take(1000).any(|mut client| client.try_get(HOST, "/").is_ok());
        assert!(came, "its place was never given back");
    }
}

/// The system gives an IPv4 client of a dual-stack listener an IPv6 address, `::ffff:127.0.0.1`.
#[test]
fn a_trusted_proxy_of_ipv4_is_known_on_a_listener_of_both_families() {
    let origin = Origin::naming("ok");
    for (trusted, let_in) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let front = limited(&origin, 1, |setup| {
            setup.bind = "[::]:0".parse().unwrap();
            setup.limits.connections_per_address_max = 1;
            setup.trusted = vec![trusted.parse().unwrap()];
        });
        let mut first = front.client();
        assert_eq!(first.get(HOST, "/").text(), "ok");
        let second = front.client().try_get(HOST, "/");
        assert_eq!(second.is_ok(), let_in, "{trusted}: {second:?}");
    }
}

#[test]
fn a_preview_is_shown_to_networks_or_to_who_has_the_token() {
    let origin = Origin::naming("blue");
    let digest: [u8; 32] =
        ring::digest::digest(&ring::digest::SHA256, b"open sesame").as_ref().try_into().unwrap();
    let preview = format!("Host: blue.{HOST}\r\n");
    let ask = |front: &Front, token: Option<&str>| {
        let field = token.map_or_else(String::new, |token| format!("X-Greenlight-Preview: {token}\r\n"));
        let mut client = front.client();
        client.send(format!("GET / HTTP/1.1\r\n{preview}{field}\r\n"));
        client.response().status
    };
    let front = limited(&origin, 1, |setup| setup.settings().preview_token = Some(digest));
    assert_eq!(ask(&front, Some("open sesame")), 200);
    for wrong in [None, Some(""), Some("open"), Some("open sesamE"), Some("open sesame 2")] {
        assert_eq!(ask(&front, wrong), 404, "{wrong:?}");
    }
    assert!(origin.heads().iter().all(|head| !head.contains("sesame")), "no origin sees the token");
    assert_eq!(front.client().get(HOST, "/").status, 200);
    // Either of the two lets in.
    let front = limited(&origin, 1, |setup| {
        setup.settings().preview_token = Some(digest);
        setup.settings().preview_allow = vec!["10.0.0.0/8".parse().unwrap()];
    });
    assert_eq!((ask(&front, Some("open sesame")), ask(&front, None)), (200, 404));
    let front = limited(&origin, 1, |setup| {
        setup.settings().preview_token = Some(digest);
        setup.settings().preview_allow = vec!["127.0.0.0/8".parse().unwrap()];
    });
    assert_eq!(ask(&front, None), 200);
}

#[test]
fn our_answers_have_the_services_own_pages() {
    let page = |status, content_type, body: &[u8]| ErrorPage { status, content_type, body: body.into() };
    let origin = Origin::answering(with_length("HTTP/1.1 503 Its Own", b"its own"));
    let front = limited(&origin, 1, |setup| {
        setup.settings().error_pages = vec![
            page(502, "text/html; charset=utf-8", b"<h1>bad</h1>"),
            page(503, "application/json", b"{}"),
        ];
    });
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").text(), "its own", "an origin's answer is not ours");
    front.change(|service| service.colors[Color::Blue] = endpoints(Color::Blue, &[]));
    let response = client.get(HOST, "/");
    assert_eq!((response.status, response.text().as_str()), (503, "{}"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("retry-after"), Some("1"));
    client.send(format!("HEAD / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert_eq!(client.head_response().header("content-length"), Some("2"));
    let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    front.change(|service| service.colors[Color::Blue] = endpoints(Color::Blue, &[refusing]));
    let response = client.get(HOST, "/");
    assert_eq!((response.status, response.text().as_str()), (502, "<h1>bad</h1>"));
    assert_eq!(client.get("other.test", "/").text(), "no service has this host\n");
}

#[test]
fn a_cookie_brings_a_client_back_to_its_endpoint() {
    let origins: Vec<_> = ["one", "two", "three"].into_iter().map(Origin::naming).collect();
    let addresses: Vec<_> = origins.iter().map(|origin| origin.address).collect();
    let green = Origin::naming("green");
    let mut setup = Setup::new(&addresses, &[green.address]);
    Arc::make_mut(&mut setup.service.settings).affinity = true;
    let front = setup.start();
    let mut client = front.client();
    let first = client.get(HOST, "/");
    let set = first.header("set-cookie").unwrap().to_owned();
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
    let cookie = set.split(';').next().unwrap().to_owned();
    let mut with_cookie = |cookie: &str| {
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nCookie: a=b; {cookie}\r\n\r\n"));
        client.response()
    };
    for _ in 0..50 {
        let again = with_cookie(&cookie);
        assert_eq!((again.text(), again.header("set-cookie")), (first.text(), None));
    }
    // After a switch it names nobody: another is set.
    front.change(|service| service.active = Color::Green);
    let switched = with_cookie(&cookie);
    assert_eq!(switched.text(), "green");
    assert_ne!(switched.header("set-cookie"), Some(set.as_str()));
    assert!(switched.header("set-cookie").is_some());
    assert!(front.client().get(&format!("blue.{HOST}"), "/").header("set-cookie").is_none(), "no preview's");
}
