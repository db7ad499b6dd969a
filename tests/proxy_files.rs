//! Running out of file descriptors. A binary of its own: the limit is the whole process's.

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(dead_code)] // the harness is shared; one test needs little of it

#[path = "proxy/client.rs"]
mod client;
#[path = "proxy/front.rs"]
mod front;
#[path = "proxy/inbox.rs"]
mod inbox;
#[path = "proxy/origin.rs"]
mod origin;

use rustix::process::{Resource, getrlimit, setrlimit};

use front::{Front, HOST};
use origin::Origin;

#[test]
fn a_process_without_files_left_goes_on_when_there_are_some_again() {
    let origin = Origin::naming("alive");
    let front = Front::between(&[origin.address], &[]);
    assert_eq!(front.client().get(HOST, "/").text(), "alive");
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(200);
    setrlimit(Resource::Nofile, limit).unwrap();
    // The clients are of this process too: when they get no file, the workers get none.
    let mut clients: Vec<_> =
        std::iter::from_fn(|| std::net::TcpStream::connect(front.address).ok()).collect();
    assert!(clients.len() < 200);
    assert!(!front.collect().is_empty(), "the worker is alive");
    clients.truncate(clients.len() / 4);
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").text(), "alive");
    drop(clients);
    assert_eq!(front.client().get(HOST, "/").text(), "alive");
}
