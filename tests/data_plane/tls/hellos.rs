//! Thousands of handshakes that stop half-way: each ends at its limit, and a client that means well notices none of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::front::{HOST, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::secure_client::Settings;
use greenlight_testkit::setting::{alone, setting};

const LIMIT: Duration = Duration::from_secs(3);
/// To notice it, on a machine that does nothing else.
const GRACE: Duration = Duration::from_secs(1);

#[test]
fn thousands_of_half_hellos_are_closed_and_leave_a_good_client_alone() {
    let count: usize = setting("GREENLIGHT_FLOOD", 5000);
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let live = files.live(&list(&["app"]));
    let origin = Origin::naming("ok");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![facts(&live)];
    setup.limits.detection_timeout = LIMIT;
    setup.limits.connections_max = count * 2;
    let front = setup.start();
    let mut good = Settings::new(&files.authority).connect(front.address, HOST);
    assert_eq!(good.get(HOST, "/").text(), "ok");
    // Nothing; the head of a record; half a ClientHello.
    let begins: [&[u8]; 3] = [b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03half"];
    let mut bad = Vec::new();
    for number in 0..count {
        let mut socket = TcpStream::connect(front.address).unwrap();
        socket.write_all(begins[number % begins.len()]).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        bad.push(socket);
    }
    let grace = LIMIT + if alone() { GRACE } else { PATIENCE };
    let (last, mut waits) = (greenlight::clock::instant(), Vec::new());
    while front.collect()[0].connections > 1 {
        let asked = greenlight::clock::instant();
        assert_eq!(good.get(HOST, "/").text(), "ok");
        waits.push(asked.elapsed());
        assert!(last.elapsed() < grace, "some are open after {:?}", last.elapsed());
    }
    for socket in &mut bad {
        let mut answer = Vec::new();
        // A reset is an end too.
        let _ = socket.read_to_end(&mut answer);
        assert_eq!(answer.escape_ascii().to_string(), "", "closed without a word");
    }
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    println!("RESULT half hellos: {count}, closed within {LIMIT:?} and 1 s, a good client's p99 {p99:.1?}");
    let bar = Duration::from_millis(if alone() { 250 } else { 2000 });
    assert!(p99 < bar, "a good client waited {p99:?}");
}
