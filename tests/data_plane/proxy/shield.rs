//! The shield: while a bake runs the warm old color answers what the candidate fails, and the judge
//! counts the failure all the same.

use greenlight::model::Color;

use greenlight_testkit::front::{Front, HOST, Setup, endpoints};
use greenlight_testkit::origin::{Origin, with_length};

/// Blue is old, green is the candidate.
fn baking(blue: &Origin, green: &Origin) -> Setup {
    let mut setup = Setup::new(&[blue.address], &[green.address]);
    setup.service.active = Color::Green;
    setup.service.baking = true;
    setup
}

fn saying(status: u16) -> Origin {
    Origin::answering(with_length(&format!("HTTP/1.1 {status} Whatever"), b"green"))
}

fn ask(front: &Front, method: &str, body: &str) -> (u16, String) {
    let mut client = front.client();
    client
        .send(format!("{method} / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let response = if method == "HEAD" { client.head_response() } else { client.response() };
    (response.status, response.text())
}

fn get(front: &Front) -> (u16, String) {
    let response = front.client().get(HOST, "/");
    (response.status, response.text())
}

#[test]
fn what_fails_before_its_first_byte_is_answered_by_the_old_color() {
    let blue = Origin::naming("blue");
    let closing = Origin::start(|link| {
        link.head();
    });
    let resetting = Origin::start(|link| {
        link.head();
        link.reset_at_end();
    });
    for green in [closing, resetting] {
        let front = baking(&blue, &green).start();
        assert_eq!(get(&front), (200, "blue".into()));
        assert_eq!(front.evidence(Color::Green), (1, 1), "the judge counts it");
        assert_eq!(front.metric("greenlight_shield_retries_total"), Some(1.0));
    }
    let front = baking(&blue, &saying(200)).start();
    get(&front);
    assert_eq!(front.evidence(Color::Blue), (0, 0), "what the old color does in its place is no evidence");
}

#[test]
fn three_statuses_are_as_good_as_no_answer() {
    let blue = Origin::naming("blue");
    for (status, passed) in [(502, false), (503, false), (504, false), (500, true), (501, true), (404, true)]
    {
        let green = saying(status);
        let front = baking(&blue, &green).start();
        let expected = if passed { (status, "green".to_owned()) } else { (200, "blue".to_owned()) };
        assert_eq!(get(&front), expected);
        let errors = u64::from(matches!(status, 500 | 502..=504));
        assert_eq!(front.evidence(Color::Green), (1, errors), "{status}");
    }
}

#[test]
fn a_timeout_is_shielded_too() {
    let blue = Origin::naming("blue");
    let green = Origin::start(|link| {
        link.head();
        link.rest();
    });
    let mut setup = baking(&blue, &green);
    setup.settings().response_timeout = std::time::Duration::from_millis(150);
    let front = setup.start();
    let mut client = front.client();
    // The old color gets its own time.
    assert_eq!(client.get(HOST, "/").text(), "blue");
    assert!(client.is_open());
    assert_eq!(front.evidence(Color::Green), (1, 1));
}

#[test]
fn what_may_have_been_processed_is_never_sent_again() {
    let blue = Origin::naming("blue");
    let closing = Origin::start(|link| {
        link.head();
    });
    let front = baking(&blue, &closing).start();
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET"] {
        assert_eq!(ask(&front, method, "body").0, 502, "{method} with a body");
    }
    assert_eq!(ask(&front, "POST", "").0, 502, "no body, but not safe");
    assert_eq!(blue.connections(), 0);
    assert_eq!(front.evidence(Color::Green), (6, 6));
    let front = baking(&blue, &saying(503)).start();
    assert_eq!(ask(&front, "POST", "").0, 503);
    assert_eq!(blue.connections(), 0);
}

#[test]
fn a_connect_that_fails_is_shielded_whatever_the_method() {
    let blue = Origin::start(|link| {
        while link.head().is_some() {
            assert_eq!(link.take(4).unwrap(), b"body");
            link.send(with_length("HTTP/1.1 200 OK", b"blue"));
        }
    });
    let green = Origin::naming("green");
    let setup = baking(&blue, &green);
    let refusing = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let front = setup.start();
    front.change(|service| service.colors[Color::Green] = endpoints(Color::Green, &[refusing(), refusing()]));
    assert_eq!(ask(&front, "POST", "body"), (200, "blue".into()));
    assert_eq!(front.evidence(Color::Green), (2, 2), "each endpoint that refused");
    // No endpoint at all is the candidate's failure, and nothing was sent.
    front.change(|service| service.colors[Color::Green] = endpoints(Color::Green, &[]));
    assert_eq!(ask(&front, "POST", "body"), (200, "blue".into()));
    assert_eq!(front.evidence(Color::Green), (1, 1));
}

#[test]
fn no_bake_no_shield() {
    let blue = Origin::naming("blue");
    let green = saying(503);
    let mut setup = baking(&blue, &green);
    setup.service.baking = false;
    assert_eq!(get(&setup.start()).0, 503);
    let mut setup = baking(&blue, &green);
    setup.settings().shield = false;
    assert_eq!(get(&setup.start()).0, 503);
    let front = baking(&blue, &green).start();
    assert_eq!(front.client().get(&format!("green.{HOST}"), "/").status, 503, "a preview shows its color");
    front.change(|service| service.colors[Color::Blue].endpoints[0].usable = false);
    assert_eq!(get(&front).0, 503, "nobody to answer in its place: what the candidate says");
    assert_eq!(front.metric("greenlight_shield_retries_total"), Some(0.0));
}

#[test]
fn an_old_color_that_fails_too_is_asked_once() {
    let closing = || {
        Origin::start(|link| {
            link.head();
        })
    };
    let (blue, green) = (closing(), closing());
    let front = baking(&blue, &green).start();
    assert_eq!(get(&front).0, 502);
    assert_eq!((blue.connections(), green.connections()), (1, 1));
    assert_eq!(front.evidence(Color::Green), (1, 1));
    assert_eq!(front.evidence(Color::Blue), (0, 0));
}
