//! Origins that break the protocol. A response that has begun ends abnormally for the client, any other one
//! becomes a 502, and the door never uses the origin's connection again.

use greenlight::model::Color;

use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::origin::{Link, Origin};

/// An origin that runs `lie` on its first connection and serves all others correctly.
fn liar(lie: impl Fn(&mut Link) + Send + Sync + 'static) -> Origin {
    Origin::start(move |link| {
        if link.number == 0 {
            lie(link);
            // A request that reuses this connection gets "again", which fails the test.
            while link.head().is_some() {
                link.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain");
            }
            return;
        }
        while link.head().is_some() {
            link.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest");
        }
    })
}

/// The lie comes after the head. The client's connection ends, and the client can see that the response is
/// cut.
fn cut(name: &str, lie: impl Fn(&mut Link) + Send + Sync + 'static) {
    let origin = liar(lie);
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    let end = client.try_response(false);
    assert!(end.is_err(), "{name}: taken for whole: {end:?}");
    client.forget();
    client.expect_end();
    assert_eq!(front.evidence(Color::Blue), (1, 1), "{name}");
    assert_eq!(front.client().get(HOST, "/").text(), "honest", "{name}");
    assert_eq!(origin.connections(), 2, "{name}");
    println!("RESULT lying origin, {name}: cut, and closed; its connection is not used again");
}

/// The lie is before the head or in it. The client gets a 502, and its next request on the same connection is
/// served.
fn refused(name: &str, lie: impl Fn(&mut Link) + Send + Sync + 'static) {
    let origin = liar(lie);
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    let mut response = client.get(HOST, "/");
    while response.status < 200 {
        response = client.response();
    }
    assert_eq!((response.status, response.header("connection")), (502, None), "{name}");
    assert_eq!(client.get(HOST, "/").text(), "honest", "{name}");
    assert_eq!(front.evidence(Color::Blue), (2, 1), "{name}");
    assert_eq!(origin.connections(), 2, "{name}");
    println!("RESULT lying origin, {}: 502, the next answer is right", name.trim_end());
}

/// The response itself is correct, but the door can't use the origin's connection again.
fn passed_on(name: &str, request: &str, status: u16, lie: impl Fn(&mut Link) + Send + Sync + 'static) {
    let origin = liar(lie);
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(request);
    let response = client.response();
    assert_eq!((response.status, response.text().as_str()), (status, "ok"), "{name}");
    if request.starts_with("POST") {
        // The upload is not complete, so the client's connection can't be used again.
        client.expect_end();
        client = front.client();
    }
    assert_eq!(client.get(HOST, "/").text(), "honest", "{name}");
    assert_eq!(origin.connections(), 2, "{name}: used again");
    println!("RESULT lying origin, {name}: passed on; its connection is not used again");
}

/// Sends these bytes and keeps the connection open.
fn say(bytes: &'static [u8]) -> impl Fn(&mut Link) + Send + Sync {
    move |link| {
        link.head();
        link.send(bytes);
    }
}

/// Sends these bytes and closes the connection.
fn say_and_close(bytes: &'static [u8]) -> impl Fn(&mut Link) + Send + Sync {
    move |link| {
        link.head();
        link.send(bytes);
        let _ = link.socket.shutdown(std::net::Shutdown::Both);
    }
}

#[test]
fn a_short_body_is_cut() {
    cut("length", say_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"));
    cut("chunk", say_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort"));
    cut(
        "no last chunk",
        say_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n"),
    );
}

#[test]
fn a_malformed_chunk_beside_the_head_is_refused() {
    refused("size", say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\nxyz\r\n"));
    refused("overrun", say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwhole\r\n0\r\n\r\n"));
}

/// The origin resets the connection after the client has read the first half of the body.
fn reset_after(head: &'static str, version: &str) {
    let (go, gone) = std::sync::mpsc::sync_channel::<()>(1);
    let gone = std::sync::Mutex::new(gone);
    let origin = Origin::start(move |link| {
        link.head();
        if link.number > 0 {
            link.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest");
            return;
        }
        link.send(head);
        link.reset_at_end();
        let _ = gone.lock().unwrap().recv();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/{version}\r\nHost: {HOST}\r\n\r\n"));
    assert!(client.take_head().unwrap().starts_with("HTTP/1.1 200"));
    client.take(4).unwrap();
    go.send(()).unwrap();
    if version == "1.0" {
        // For HTTP/1.0 the body ends with the connection, so only a reset shows that it was cut.
        assert!(client.rest().is_err());
    } else {
        let rest = client.rest().unwrap_or_default();
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
    }
    assert_eq!(front.evidence(Color::Blue), (1, 1));
    assert_eq!(front.client().get(HOST, "/").text(), "honest");
    assert_eq!(origin.connections(), 2);
    println!(
        "RESULT lying origin, a reset inside a body for HTTP/{version}: cut; its connection is not used again"
    );
}

#[test]
fn a_reset_inside_a_body_is_cut() {
    for version in ["1.1", "1.0"] {
        reset_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf", version);
        reset_after("HTTP/1.1 200 OK\r\n\r\nhalf", version);
    }
}

#[test]
fn ambiguous_heads_are_refused() {
    refused(
        "both lengths",
        say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"),
    );
    refused("two lengths", say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"));
    refused("coding", say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"));
    refused("fold", say(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok"));
}

#[test]
fn a_101_that_the_request_did_not_ask_for_is_refused() {
    refused(
        "unasked",
        say(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
    );
    // A 101 for another protocol than the one that the client asked for is refused too.
    let origin =
        liar(say(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: raw/1\r\n\r\n"));
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client
        .send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"));
    assert_eq!(client.response().status, 502);
    assert_eq!(client.get(HOST, "/").text(), "honest");
    assert_eq!(origin.connections(), 2);
}

#[test]
fn endless_interim_answers_are_refused() {
    for head in ["HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let lie = head.repeat(20_000) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        refused(head.lines().next().unwrap(), move |link| {
            link.head();
            link.send(&lie);
        });
    }
    // The door passes 256 KiB of 103s to the client before it refuses the next one with the 502.
    let hint = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let lie = hint.repeat(20_000);
    let origin = liar(move |link| {
        link.head();
        link.send(&lie);
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    let mut response = client.get(HOST, "/");
    let mut hints = 0;
    while response.status == 103 {
        hints += 1;
        response = client.response();
    }
    assert_eq!((response.status, hints), (502, 256 * 1024 / hint.len()));
    assert_eq!(client.get(HOST, "/").text(), "honest");
    assert_eq!(origin.connections(), 2);
}

#[test]
fn bytes_behind_an_answer_reach_no_client() {
    let get = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let behind: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    passed_on("behind a length", &get, 200, say(behind));
    let chunked: &[u8] =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n";
    passed_on("behind chunks", &get, 200, say(chunked));
    let upgrade =
        format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    passed_on("200 to an Upgrade", &upgrade, 200, say(behind));
}

#[test]
fn an_answer_before_the_upload_ends_leaves_no_connection_behind() {
    let post = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\nbegin");
    passed_on("early", &post, 413, say(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nok"));
}

#[test]
fn a_body_behind_an_answer_without_one_reaches_no_client() {
    for (method, answer) in [
        ("HEAD", &b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"[..]),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison"),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison"),
    ] {
        let origin = liar(say(answer));
        let front = Front::between(&[origin.address], &[]);
        let mut client = front.client();
        client.send(format!("{method} / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        let response = client.head_response();
        assert!(matches!(response.status, 200 | 204 | 304));
        assert_eq!(client.get(HOST, "/").text(), "honest", "{method}");
        assert_eq!(origin.connections(), 2, "{method}");
    }
}
