//! Every limit of time, with limits that are short.

use std::net::TcpListener;
use std::time::Duration;

use greenlight::model::Color;

use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Origin, with_length};

const SHORT: Duration = Duration::from_millis(150);

fn silent() -> Origin {
    Origin::start(|link| {
        link.head();
        link.rest();
    })
}

fn with_limits(origin: &Origin, set: impl FnOnce(&mut Setup)) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    set(&mut setup);
    setup.start()
}

#[test]
fn a_connection_on_which_nothing_comes_is_closed_without_a_word() {
    let front = with_limits(&Origin::naming(""), |setup| setup.limits.detection_timeout = SHORT);
    front.client().expect_end();
}

#[test]
fn a_head_that_does_not_end_gets_408() {
    let front = with_limits(&Origin::naming(""), |setup| setup.limits.request_head_timeout = SHORT);
    let mut client = front.client();
    client.send("GET / HT");
    assert_eq!(client.response().status, 408);
    client.expect_end();
}

#[test]
fn an_empty_line_begins_no_request() {
    let front = with_limits(&Origin::naming("ok"), |setup| {
        setup.limits.keep_alive_timeout = SHORT;
        setup.limits.request_head_timeout = greenlight_testkit::client::PATIENCE * 2;
    });
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").text(), "ok");
    client.send("\r\n");
    client.expect_end();
    // It does not keep a request from being read.
    let mut client = front.client();
    client.send("\r\n");
    assert_eq!(client.get(HOST, "/").text(), "ok");
}

#[test]
fn a_response_head_that_comes_byte_by_byte_is_late() {
    for piece in ["HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        let origin = Origin::start(move |link| {
            link.head();
            link.send(piece);
            let bytes = if piece.contains("103") { piece } else { "x" };
            while std::io::Write::write_all(&mut link.socket, bytes.as_bytes()).is_ok() {
                std::thread::sleep(SHORT / 4);
            }
        });
        let front = with_limits(&origin, |setup| setup.settings().response_timeout = SHORT * 2);
        let mut client = front.client();
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        let status = std::iter::repeat_with(|| client.response().status).find(|&status| status != 103);
        assert_eq!(status, Some(504), "{piece}");
        assert_eq!(front.evidence(Color::Blue), (1, 1));
    }
}

#[test]
fn a_client_that_sends_and_takes_nothing_is_cut_off() {
    let (told, ended) = std::sync::mpsc::sync_channel(1);
    let origin = Origin::start(move |link| {
        link.head();
        link.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n");
        let mut reader = link.socket.try_clone().unwrap();
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        let piece = vec![b'x'; 1 << 20];
        while std::io::Write::write_all(&mut link.socket, &piece).is_ok() {}
        told.send(()).unwrap();
    });
    let front = with_limits(&origin, |setup| setup.limits.write_stall_timeout = SHORT);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n"));
    let begin = greenlight::clock::instant();
    while ended.try_recv().is_err() {
        assert!(begin.elapsed() < greenlight_testkit::client::PATIENCE, "what it sends keeps it");
        let _ = std::io::Write::write_all(&mut client.socket, b"more");
        std::thread::sleep(SHORT / 4);
    }
}

#[test]
fn an_idle_connection_is_closed_after_its_time() {
    let front = with_limits(&Origin::naming("ok"), |setup| setup.limits.keep_alive_timeout = SHORT);
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").text(), "ok");
    client.expect_end();
}

#[test]
fn a_body_that_stands_still_gets_408() {
    let front = with_limits(&silent(), |setup| setup.limits.body_stall_timeout = SHORT);
    let mut client = front.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\nhalf"));
    assert_eq!(client.response().status, 408);
    client.expect_end();
    assert_eq!(front.evidence(Color::Blue), (0, 0));
}

#[test]
fn an_origin_that_does_not_answer_gets_504_and_an_error() {
    let front = with_limits(&silent(), |setup| setup.settings().response_timeout = SHORT);
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").status, 504);
    assert!(client.is_open());
    assert_eq!(front.evidence(Color::Blue), (1, 1));
    assert_eq!(front.inflight(Color::Blue), 0);
}

#[test]
fn grpc_and_upgrades_have_no_limit_for_their_head() {
    for fields in ["Content-Type: application/grpc\r\n", "Connection: upgrade\r\nUpgrade: websocket\r\n"] {
        let (answer, told) = std::sync::mpsc::sync_channel::<()>(0);
        let told = std::sync::Mutex::new(told);
        let origin = Origin::start(move |link| {
            while link.head().is_some() {
                if link.number == 0 {
                    told.lock().unwrap().recv().unwrap();
                    link.send(with_length("HTTP/1.1 200 OK", b"late"));
                }
            }
        });
        let front = with_limits(&origin, |setup| setup.settings().response_timeout = SHORT);
        let mut client = front.client();
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n"));
        // A plain request that begins later runs into its limit first.
        while origin.heads().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(front.client().get(HOST, "/").status, 504);
        answer.send(()).unwrap();
        assert_eq!(client.response().text(), "late");
    }
}

#[test]
fn an_origin_that_accepts_no_connection_gets_504() {
    // The backlog of a listener that nobody accepts on is filled, then connects hang.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let listener: TcpListener = listener.into();
    let address = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    while let Ok(socket) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        filling.push(socket);
    }
    let mut setup = Setup::new(&[address], &[]);
    setup.settings().connect_timeout = SHORT;
    let mut front = setup.start();
    assert_eq!(front.client().get(HOST, "/").status, 504);
    assert_eq!(front.evidence(Color::Blue), (1, 1));
    assert!(front.suspected.try_recv().is_err(), "only refused connects are suspicious");
}

#[test]
fn a_response_that_stands_still_ends_abnormally() {
    let origin = Origin::start(|link| {
        link.head();
        link.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        link.rest();
    });
    let front = with_limits(&origin, |setup| setup.settings().stream_idle_timeout = SHORT);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert!(client.try_response(false).unwrap_err().contains("half"));
    assert_eq!(front.evidence(Color::Blue), (1, 1));
}

#[test]
fn a_client_that_takes_nothing_is_cut_off() {
    let (told, ended) = std::sync::mpsc::sync_channel(1);
    let origin = Origin::start(move |link| {
        link.head();
        link.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        let piece = vec![b'x'; 1 << 20];
        while std::io::Write::write_all(&mut link.socket, &piece).is_ok() {}
        told.send(()).unwrap();
    });
    let front = with_limits(&origin, |setup| setup.limits.write_stall_timeout = SHORT);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    ended.recv_timeout(greenlight_testkit::client::PATIENCE).unwrap();
    // The origin has answered; what the client did with it is not its failure.
    assert_eq!(front.evidence(Color::Blue), (1, 0));
}

#[test]
fn a_tunnel_may_be_silent_longer_than_a_stream_but_not_for_ever() {
    let origin = Origin::start(|link| {
        link.head();
        link.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        link.rest();
    });
    let front = with_limits(&origin, |setup| {
        setup.settings().stream_idle_timeout = Duration::from_secs(100);
        setup.settings().tunnel_idle_timeout = SHORT;
    });
    let mut client = front.client();
    client
        .send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"));
    assert!(client.take_head().unwrap().starts_with("HTTP/1.1 101"));
    client.expect_end();
    assert_eq!(front.inflight(Color::Blue), 0);
}

#[test]
fn idle_upstream_connections_are_closed_after_their_time() {
    let (told, ended) = std::sync::mpsc::sync_channel(1);
    let origin = Origin::start(move |link| {
        while link.head().is_some() {
            link.send(with_length("HTTP/1.1 200 OK", b""));
        }
        // Nobody waits for the end of the second one.
        let _ = told.send(());
    });
    let front = with_limits(&origin, |setup| setup.settings().pool_idle_timeout = SHORT);
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").status, 200);
    ended.recv_timeout(greenlight_testkit::client::PATIENCE).unwrap();
    assert_eq!(client.get(HOST, "/").status, 200);
}
