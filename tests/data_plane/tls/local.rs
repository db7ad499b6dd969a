//! Requests that a listener answers itself: redirects to https, ACME challenges and readiness.

use std::sync::Arc;
use std::time::Duration;

use greenlight::data_plane::ListenerFacts;

use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::Origin;

fn redirecting(origin: &Origin, https_port: Option<u16>, trusted: bool) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![ListenerFacts { redirect_to_https: true, https_port, ..ListenerFacts::default() }];
    if trusted {
        setup.trusted = vec!["127.0.0.0/8".parse().unwrap()];
    }
    setup.start()
}

#[test]
fn requests_are_sent_to_https_with_all_that_they_ask_for() {
    let origin = Origin::naming("ok");
    let front = redirecting(&origin, Some(8443), false);
    let mut client = front.client();
    let bound = format!("{HOST}:{}", front.address.port());
    for (host, path, location) in [
        (HOST, "/", format!("https://{HOST}/")),
        (HOST, "/a/b?c=d&e=%20", format!("https://{HOST}/a/b?c=d&e=%20")),
        ("Nobody.Test.", "//x", "https://Nobody.Test//x".to_owned()),
        // This port is not the listener's, so something on the way maps ports. The door does not know the
        // mapped port of https and leaves the port out.
        ("app.test:8080", "/", format!("https://{HOST}/")),
        (&bound, "/", format!("https://{HOST}:8443/")),
        ("[::1]", "/", "https://[::1]/".to_owned()),
    ] {
        let response = client.get(host, path);
        assert_eq!(response.status, 308, "{host}{path}");
        assert_eq!(response.header("location"), Some(location.as_str()));
    }
    client.send(format!("GET /\u{e4} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert_eq!(client.response().header("location"), Some("https://app.test/%C3%A4"));
    client.send(format!("POST /form HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 4\r\n\r\nbody"));
    let response = client.response();
    assert_eq!((response.status, response.header("connection")), (308, Some("close")));
    client.expect_end();
    assert_eq!(origin.connections(), 0);
    let mut old = front.client();
    old.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(old.response().status, 400);
}

#[test]
fn acme_is_let_through_and_answered() {
    let origin = Origin::naming("origin's own");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![ListenerFacts { redirect_to_https: true, ..ListenerFacts::default() }];
    let challenges = Arc::clone(&setup.challenges);
    let front = setup.start();
    let mut client = front.client();
    let path = "/.well-known/acme-challenge/token-1";
    assert_eq!(client.get(HOST, path).text(), "origin's own");
    challenges.offer_http("token-1".into(), "token-1.thumbprint".into());
    // The challenge is answered for hosts of no service too.
    for host in [HOST, "nobody.test"] {
        let response = client.get(host, path);
        assert_eq!((response.status, response.text().as_str()), (200, "token-1.thumbprint"));
    }
    assert_eq!(client.get(HOST, "/.well-known/acme-challenge/other").text(), "origin's own");
    assert_eq!(client.get(HOST, "/").status, 308);
    challenges.withdraw_http("token-1");
    assert_eq!(client.get(HOST, path).text(), "origin's own");
}

#[test]
fn a_trusted_proxy_that_speaks_https_is_not_sent_in_circles() {
    let origin = Origin::naming("ok");
    for (trusted, status) in [(true, 200), (false, 308)] {
        let front = redirecting(&origin, None, trusted);
        let mut client = front.client();
        for field in [
            "X-Forwarded-Proto: https",
            "X-Forwarded-Proto: wss",
            "X-Forwarded-Proto: https, https",
            "Forwarded: for=192.0.2.1;proto=https",
        ] {
            client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{field}\r\n\r\n"));
            assert_eq!(client.response().status, status, "{field}");
        }
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: http\r\n\r\n"));
        assert_eq!(client.response().status, 308);
    }
}

#[test]
fn readiness_is_told_to_any_host_until_the_drain() {
    let origin = Origin::start(|link| {
        link.head();
        link.rest();
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![ListenerFacts { ready_path: "/ready".into(), ..ListenerFacts::default() }];
    let front = setup.start();
    let mut client = front.client();
    for host in ["10.0.0.1", HOST] {
        let response = client.get(host, "/ready?from=lb");
        assert_eq!((response.status, response.text().as_str()), (200, "ready\n"));
    }
    assert_eq!(client.get("nobody.test", "/readyz").status, 404);
    // Half a request keeps this connection open when the drain begins.
    client.send("GET /ready HTTP/1.1\r\n");
    while front.metric("greenlight_connections") != Some(1.0) {}
    front.begin_shutdown(Duration::from_secs(5));
    while std::net::TcpStream::connect(front.address).is_ok() {}
    client.send("Host: any\r\n\r\n");
    let response = client.response();
    assert_eq!((response.status, response.header("connection")), (503, Some("close")));
}
