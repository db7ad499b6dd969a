//! The whole program with certificate files that change, and with https origins that it probes.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::secure_origin::SecureOrigin;
use greenlight_testkit::certs::Files;
use greenlight_testkit::secure_client::Settings;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const PATIENCE: Duration = Duration::from_secs(30);
/// The user id of the program if the tests run as root.
const NOBODY: u32 = 65534;

struct Program {
    child: Child,
    public: SocketAddr,
    admin: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A free address. If another program takes it meanwhile, the start of the program fails and the test with
/// it.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Program {
    fn start(files: &Files, origins: [SocketAddr; 2]) -> Self {
        let (public, admin) = (free(), free());
        let [blue, green] = origins;
        let text = format!(
            "[runtime]\nworkers = 2\n[[listeners]]\nbind = \"{public}\"\n[listeners.tls]\n\
             certificates = [{{ cert = \"app.pem\", key = \"app.key\" }}]\nhsts = \"1d\"\n\
             [admin]\nbind = \"{admin}\"\n[store]\npath = \"store\"\n[services.app]\nhosts = [\"app.test\"]\n\
             [services.app.upstream]\nblue = [\"{blue}\"]\ngreen = [\"{green}\"]\nprotocol = \"https\"\n\
             tls = {{ ca = \"ca.pem\", server_name = \"origin.internal\" }}\n\
             [services.app.health]\ninterval = \"50ms\"\n"
        );
        files.write("greenlight.toml", text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenlight"));
        if is_root() {
            // Root can read every file, so the program runs as another user.
            chown(files.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command
            .args(["run", "-c"])
            .arg(files.path("greenlight.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(files.path("log")).unwrap())
            .spawn()
            .unwrap();
        let mut program = Self { child, public, admin };
        until("the program listens", || {
            let ended = program.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}", fs::read_to_string(files.path("log")).unwrap());
            TcpStream::connect(public).is_ok() && TcpStream::connect(admin).is_ok()
        });
        program
    }

    /// Status and body of a request to the admin API.
    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.admin).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\nConnection: close\r\n\r\n{{}}",
            self.admin
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }
}

fn until(what: &str, mut question: impl FnMut() -> bool) {
    let deadline = greenlight::clock::instant() + PATIENCE;
    while !question() {
        assert!(greenlight::clock::instant() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn check(files: &Files) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_greenlight"))
        .arg("check")
        .arg(files.path("greenlight.toml"))
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The second name of the certificate that the program shows.
fn shown(program: &Program, files: &Files) -> String {
    let settings = Settings::new(&files.authority);
    let mut client = settings.connect(program.public, "app.test");
    let response = client.get("app.test", "/");
    assert_eq!(response.text(), "ok", "{}", response.head);
    assert_eq!(response.header("strict-transport-security"), Some("max-age=86400"));
    settings.shown().names[1].clone()
}

#[test]
fn https_origins_are_probed_and_changed_files_are_served() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    files.issue("app", &["app.test", "first.test"]);
    let good = files.authority.issue(&["origin.internal"]);
    let bad = files.authority.issue(&["other.internal"]);
    let origin = SecureOrigin::answering(&good, OK);
    let stranger = SecureOrigin::answering(&bad, OK);
    let program = Program::start(&files, [origin.address, stranger.address]);
    until("the right origin is healthy, the stranger is not", || {
        let (status, body) = program.ask("GET", "/v1/services/app");
        assert_eq!(status, 200, "{body}");
        body.contains("\"health\":\"healthy\"") && body.contains("\"health\":\"unhealthy\"")
    });
    assert_eq!(shown(&program, &files), "first.test");

    // The program notices the change by itself, within seconds.
    files.issue("app", &["app.test", "second.test"]);
    until("the changed files are served", || shown(&program, &files) == "second.test");

    // The reload, `check` and the log all report a broken file, and the served certificate stays.
    let before = fs::read(files.path("app.pem")).unwrap();
    files.write("app.pem", files.authority.issue(&["app.test", "third.test"]).cert);
    let (status, body) = program.ask("POST", "/v1/reload");
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("listeners[0].tls") && body.contains("do not belong together"), "{body}");
    let (code, said) = check(&files);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("listeners[0].tls") && said.contains("do not belong together"), "{said}");
    until("the log says so", || {
        fs::read_to_string(files.path("log")).unwrap().contains("what was served before stays")
    });
    assert_eq!(shown(&program, &files), "second.test");

    // A reload serves good files at once.
    files.write("app.pem", before);
    files.issue("app", &["app.test", "fourth.test"]);
    let (status, body) = program.ask("POST", "/v1/reload");
    assert_eq!(status, 200, "{body}");
    assert_eq!(shown(&program, &files), "fourth.test");
    assert_eq!(check(&files).0, Some(0));
}

/// A deploy hook may replace a pair by one whose key the program can't read yet.
#[test]
fn a_key_that_becomes_readable_is_served() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    files.issue("app", &["app.test", "first.test"]);
    let origin = SecureOrigin::answering(&files.authority.issue(&["origin.internal"]), OK);
    let program = Program::start(&files, [origin.address, free()]);
    assert_eq!(shown(&program, &files), "first.test");

    let second = files.authority.issue(&["app.test", "second.test"]);
    files.write("hidden", &second.key);
    fs::set_permissions(files.path("hidden"), Permissions::from_mode(0o000)).unwrap();
    fs::rename(files.path("hidden"), files.path("app.key")).unwrap();
    files.write("app.pem", &second.cert);
    let told = || {
        let log = fs::read_to_string(files.path("log")).unwrap();
        log.matches("what was served before stays").count()
    };
    until("the log says so", || told() > 0);
    fs::set_permissions(files.path("app.key"), Permissions::from_mode(0o644)).unwrap();
    until("the new pair is served", || shown(&program, &files) == "second.test");
    assert_eq!(told(), 1, "one fault is told once");
}

#[test]
fn an_expired_certificate_is_warned_of_counted_and_an_alarm() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let expired = files.authority.issue_expired(&["app.test", "*.app.test"]);
    files.write("app.key", &expired.key);
    files.write("app.pem", &expired.cert);
    let origin = SecureOrigin::answering(&files.authority.issue(&["origin.internal"]), OK);
    let program = Program::start(&files, [origin.address, free()]);
    let left = |host: &str| {
        let metrics = program.ask("GET", "/metrics").1;
        let name = format!("greenlight_certificate_expiry_seconds{{host=\"{host}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse::<f64>().ok())
    };
    let alarm = "greenlight_alarm{kind=\"certificate\",service=\"app\"} ";
    let is_up = || program.ask("GET", "/metrics").1.contains(&format!("{alarm}1"));
    until("an alarm", is_up);
    assert!(left("app.test").unwrap() < 0.0 && left("*.app.test").unwrap() < 0.0);
    until("the service shows it", || {
        program.ask("GET", "/v1/services/app").1.contains("app.test ended on 2000-01-01")
    });
    let log = || fs::read_to_string(files.path("log")).unwrap();
    let warned = || log().matches("the certificate for app.test, *.app.test ended on 2000-01-01").count();
    assert_eq!(warned(), 1, "{}", log());
    assert_eq!(program.ask("POST", "/v1/reload").0, 200);
    assert_eq!(warned(), 2, "a reload says it again");

    files.issue("app", &["app.test", "second.test"]);
    assert_eq!(program.ask("POST", "/v1/reload").0, 200);
    until("the alarm is over", || !is_up());
    assert!(left("app.test").unwrap() > 0.0);
    assert_eq!(left("*.app.test"), None, "no certificate has this name any more");
    assert_eq!(warned(), 2);
}
