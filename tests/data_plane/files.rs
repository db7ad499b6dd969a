//! Running out of file descriptors. The limit is the whole process's, so the test runs in a child process: this
//! executable again, with this test alone.

use std::process::Command;

use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::origin::Origin;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Set in the child.
const CHILD: &str = "GREENLIGHT_TEST_FILES";

#[test]
fn a_process_without_files_left_goes_on_when_there_are_some_again() {
    if std::env::var_os(CHILD).is_some() {
        run_out_of_files();
        return;
    }
    let test = "files::a_process_without_files_left_goes_on_when_there_are_some_again";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let shown = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    // A name that no test has would pass too.
    assert!(output.status.success() && said.contains("1 passed"), "{shown}");
}

fn run_out_of_files() {
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
