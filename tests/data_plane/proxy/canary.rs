//! A share of the traffic for the candidate, before its switch.

use greenlight::model::Color;

use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::Origin;

const REQUESTS: u64 = 2000;

fn shared(percent: u8, blue: &Origin, green: &Origin) -> Front {
    let mut setup = Setup::new(&[blue.address], &[green.address]);
    setup.service.canary_percent = percent;
    setup.start()
}

/// How many of so many requests each color answered.
fn answers(front: &Front, host: &str) -> (u64, u64) {
    let mut client = front.client();
    let (mut blue, mut green) = (0, 0);
    for _ in 0..REQUESTS {
        match client.get(host, "/").text().as_str() {
            "blue" => blue += 1,
            "green" => green += 1,
            other => panic!("{other}"),
        }
    }
    (blue, green)
}

#[test]
fn the_candidate_gets_its_share_and_both_colors_are_counted() {
    let (blue, green) = (Origin::naming("blue"), Origin::naming("green"));
    let front = shared(25, &blue, &green);
    let (on_blue, on_green) = answers(&front, HOST);
    // Six standard deviations of 2 000 draws at one in four: 116.
    assert!(on_green.abs_diff(REQUESTS / 4) < 116, "{on_green} of {REQUESTS}");
    let mut evidence = [(0, 0); 2];
    for counts in front.collect().into_iter().flat_map(|report| report.colors) {
        let sum = &mut evidence[usize::from(counts.color == Color::Green)];
        *sum = (sum.0 + counts.bucket.requests, sum.1 + counts.bucket.errors);
    }
    assert_eq!(evidence, [(on_blue, 0), (on_green, 0)]);
}

#[test]
fn without_a_share_and_after_one_nothing_goes_to_the_candidate() {
    let (blue, green) = (Origin::naming("blue"), Origin::naming("green"));
    let front = shared(0, &blue, &green);
    assert_eq!(answers(&front, HOST), (REQUESTS, 0));
    front.change(|service| service.canary_percent = 50);
    assert!(answers(&front, HOST).1 > REQUESTS / 4);
    front.change(|service| service.canary_percent = 0);
    let before = green.heads().len();
    assert_eq!(answers(&front, HOST), (REQUESTS, 0));
    assert_eq!(green.heads().len(), before);
}

#[test]
fn a_preview_host_is_one_color_whatever_is_shared() {
    let (blue, green) = (Origin::naming("blue"), Origin::naming("green"));
    let front = shared(50, &blue, &green);
    assert_eq!(answers(&front, &format!("blue.{HOST}")), (REQUESTS, 0));
    assert_eq!(answers(&front, &format!("green.{HOST}")), (0, REQUESTS));
}

/// The clients of a bad candidate do not feel it where the old color can answer, and the judge
/// hears of it all the same.
#[test]
fn what_fails_in_a_canary_is_answered_by_the_old_color_and_counted() {
    let blue = Origin::naming("blue");
    let green = Origin::answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    let front = shared(50, &blue, &green);
    let mut client = front.client();
    for _ in 0..200 {
        let response = client.get(HOST, "/");
        assert_eq!((response.status, response.text().as_str()), (200, "blue"));
    }
    let tried = green.heads().len() as u64;
    assert!(tried > 50, "{tried}");
    assert_eq!(front.evidence(Color::Green), (tried, tried));
}

/// With affinity a client keeps its color through all steps; its cookie brings it back there even
/// from a client address whose lot is another.
#[test]
fn with_affinity_a_client_stays_where_it_was() {
    let (blue, green) = (Origin::naming("blue"), Origin::naming("green"));
    let mut setup = Setup::new(&[blue.address], &[green.address]);
    setup.settings().affinity = true;
    setup.service.canary_percent = 50;
    let front = setup.start();
    let (on_blue, on_green) = answers(&front, HOST);
    assert!(on_blue == 0 || on_green == 0, "one client, two colors: {on_blue} and {on_green}");
    // Whichever it was: with 99 % it is green, and the cookie that it gets then holds at 1 %.
    let request = |cookie: &str| format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{cookie}\r\n");
    let mut cookie = None;
    for epoch in 1..200 {
        front.change(|service| {
            service.epoch = greenlight::model::Epoch(epoch);
            service.canary_percent = 50;
        });
        let mut client = front.client();
        client.send(request(""));
        let response = client.response();
        if response.text() == "green" {
            let set = response.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
            cookie = Some(format!("Cookie: {set}\r\n"));
            break;
        }
    }
    let cookie = cookie.expect("in one of two hundred releases this client is in the half that shares");
    front.change(|service| service.canary_percent = 1);
    let mut client = front.client();
    for _ in 0..100 {
        client.send(request(&cookie));
        assert_eq!(client.response().text(), "green");
    }
    // The end of the share is the end of that.
    front.change(|service| service.canary_percent = 0);
    client.send(request(&cookie));
    assert_eq!(client.response().text(), "blue");
}
