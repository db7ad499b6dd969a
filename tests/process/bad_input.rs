//! Tests of the program with bad input. It prints a message that names the fault and exits with the right
//! code. It leaves no listener behind, and a refused configuration creates no store.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use greenlight::model::PerColor;
use tempfile::TempDir;

use greenlight_testkit::house::{SERVICE, Setup, Written, address, exe, write_config};

/// The exit code for a fault of the configuration.
const CONFIGURATION: i32 = 2;
/// The exit code for any other failure.
const FAILURE: i32 = 1;
/// The longest time that the program may run. Without this limit, a door that starts in spite of the fault
/// would run forever and block the test.
const LIMIT: Duration = Duration::from_secs(20);

/// The result of a program that has ended.
#[derive(Debug)]
struct Ended {
    /// The exit code. `None` if a signal ended the program.
    code: Option<i32>,
    /// The standard output, then the standard error.
    text: String,
}

/// Runs the program with these arguments until it ends. Panics if it runs longer than [`LIMIT`].
async fn greenlight(args: &[&str]) -> Ended {
    let child = tokio::process::Command::new(exe())
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{args:?} goes on")).unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    Ended { code: output.status.code(), text }
}

/// Writes a valid configuration into `folder`.
fn good(folder: &Path) -> Written {
    let upstreams = PerColor { blue: vec![address()], green: vec![address()] };
    write_config(folder, &Setup::default(), &upstreams)
}

/// Writes a valid configuration, applies `change` to its text, and runs `run` and `check` with it.
/// Asserts that both exit with code 2, that each output contains all of `words`, and that no listener and
/// no store exists afterwards.
async fn refuses(change: impl FnOnce(String) -> String, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let written = good(folder.path());
    let text = change(std::fs::read_to_string(&written.file).unwrap());
    std::fs::write(&written.file, &text).unwrap();
    let file = written.file.to_str().unwrap();
    for args in [&["run", "-c", file][..], &["check", file]] {
        let ended = greenlight(args).await;
        assert_eq!(ended.code, Some(CONFIGURATION), "{args:?} of\n{text}\n{}", ended.text);
        for word in words {
            assert!(ended.text.contains(word), "no \"{word}\" in:\n{}", ended.text);
        }
        assert!(!ended.text.contains("panicked"), "{}", ended.text);
    }
    nothing_started(&folder, &written);
}

fn nothing_started(folder: &TempDir, written: &Written) {
    for address in [written.listener, written.admin] {
        assert!(TcpStream::connect(address).is_err(), "something listens on {address}");
    }
    assert!(!folder.path().join("store").exists(), "a store was made");
}

#[tokio::test]
async fn a_good_configuration_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let written = good(folder.path());
    let ended = greenlight(&["check", written.file.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.text);
}

/// Runs `check` on a good configuration with `more` behind it.
async fn checked(folder: &Path, more: &str) -> Ended {
    let written = good(folder);
    let text = std::fs::read_to_string(&written.file).unwrap();
    std::fs::write(&written.file, text + more).unwrap();
    greenlight(&["check", written.file.to_str().unwrap()]).await
}

#[tokio::test]
async fn a_token_that_run_refuses_is_refused_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let webhook = "\n[hooks]\npublic = true\n[[webhooks]]\nname = \"hub\"\nkind = \"dockerhub\"\n\
                   service = \"backend\"\ntoken = { file = \"token\" }\n";
    for (text, code) in
        [("tiny77", 2), ("a/character/that/no/path/has", 2), ("0123456789abcdef0123456789abcdef", 0)]
    {
        std::fs::write(&token, text).unwrap();
        let ended = checked(folder.path(), webhook).await;
        assert_eq!(ended.code, Some(code), "{text}: {}", ended.text);
        assert_eq!(ended.text.contains("webhooks[0].token"), code == 2, "{}", ended.text);
        assert!(!ended.text.contains(text), "{}", ended.text);
    }
}

#[tokio::test]
async fn check_reads_env_files() {
    let folder = tempfile::tempdir().unwrap();
    let service = "\n[services.other]\nhosts = [\"other.example.org\"]\n[services.other.upstream]\n\
                   kind = \"docker\"\nimage = \"org/app:prod\"\nenv_file = [\"app.env\"]\n";
    for (text, code, says) in
        [("A=1\n", 0, ""), ("A=1\nexport B=2\n", 2, "line 2"), ("=hunter2\n", 2, "line 1")]
    {
        std::fs::write(folder.path().join("app.env"), text).unwrap();
        let ended = checked(folder.path(), service).await;
        assert_eq!(ended.code, Some(code), "{text}: {}", ended.text);
        assert!(ended.text.contains(says) && !ended.text.contains("hunter2"), "{}", ended.text);
        assert_eq!(ended.text.contains("services.other.upstream.env_file[0]"), code == 2, "{}", ended.text);
    }
}

#[tokio::test]
async fn no_file_and_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    // The second path is a folder. A file without read permission would not do, because root can read it.
    for path in [missing.to_str().unwrap(), folder.path().to_str().unwrap()] {
        for args in [&["run", "-c", path][..], &["check", path]] {
            let ended = greenlight(args).await;
            assert_eq!(ended.code, Some(CONFIGURATION), "{args:?}: {}", ended.text);
            assert!(ended.text.contains(path), "{}", ended.text);
        }
    }
    refuses(|_| String::new(), &["empty"]).await;
    refuses(|text| text + "\n[[listeners", &["not TOML"]).await;
}

#[tokio::test]
async fn wrong_types_and_unknown_keys() {
    refuses(|text| text.replace("workers = 2", "workers = \"many\""), &["runtime.workers", "many"]).await;
    refuses(
        |text| {
            text.replace("[services.backend.health]", "[services.backend.health]\nmin_heathy_time = \"3s\"")
        },
        &["services.backend.health.min_heathy_time", "min_healthy_time"],
    )
    .await;
    refuses(
        |text| text.replace("[services.backend.release]", "[services.backend.release]\nbake_time = \"soon\""),
        &["services.backend.release.bake_time", "soon"],
    )
    .await;
}

#[tokio::test]
async fn contradictions() {
    refuses(
        |text| {
            text + "\n[services.other]\nhosts = [\"backend.example.org\"]\n[services.other.upstream]\n\
                    kind = \"fixed\"\nblue = [\"127.0.0.1:1\"]\ngreen = [\"127.0.0.1:2\"]\n"
        },
        &["backend.example.org", "services.other"],
    )
    .await;
    refuses(
        |text| {
            let blue = text.lines().find(|line| line.starts_with("blue")).unwrap().to_owned();
            let green = text.lines().find(|line| line.starts_with("green")).unwrap().to_owned();
            text.replace(&green, &blue.replace("blue", "green"))
        },
        &["services.backend.upstream"],
    )
    .await;
    refuses(
        |text| {
            text.replace(
                "[services.backend.release]",
                "[services.backend.release]\nprogress_deadline = \"5s\"",
            )
        },
        &["progress_deadline"],
    )
    .await;
}

#[tokio::test]
async fn all_faults_at_once() {
    refuses(
        |text| {
            text.replace("workers = 2", "workers = -1").replace(
                "[services.backend.health]",
                "[services.backend.health]\nrise = 0\npath = \"no-slash\"",
            )
        },
        &["runtime.workers", "services.backend.health.rise", "services.backend.health.path"],
    )
    .await;
}

#[tokio::test]
async fn an_admin_api_that_anybody_could_reach() {
    let open = |text: String| {
        let admin = text.lines().skip_while(|line| *line != "[admin]").nth(1).unwrap().to_owned();
        text.replace(&admin, &admin.replace("127.0.0.1", "0.0.0.0"))
    };
    refuses(open, &["admin", "token", "tls"]).await;
    refuses(
        |text| text.replace("[admin]", "[admin]\ntoken = { file = \"/nowhere/admin.token\" }"),
        &["admin.token", "/nowhere/admin.token"],
    )
    .await;
}

/// Asserts that `run` exits with code 1 and that its output contains each of `words`. The configuration
/// itself is valid.
async fn run_fails(written: &Written, words: &[&str]) {
    let ended = greenlight(&["run", "-c", written.file.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(FAILURE), "{}", ended.text);
    for word in words {
        assert!(ended.text.contains(word), "no \"{word}\" in:\n{}", ended.text);
    }
    assert!(!ended.text.contains("panicked"), "{}", ended.text);
}

fn assert_no_listener(address: SocketAddr) {
    assert!(TcpStream::connect(address).is_err(), "something listens on {address}");
}

#[tokio::test]
async fn a_taken_port() {
    let folder = tempfile::tempdir().unwrap();
    let written = good(folder.path());
    let taken = TcpListener::bind(written.listener).unwrap();
    run_fails(&written, &[&written.listener.to_string()]).await;
    assert_no_listener(written.admin);
    drop(taken);
    let taken = TcpListener::bind(written.admin).unwrap();
    run_fails(&written, &[&written.admin.to_string()]).await;
    assert_no_listener(written.listener);
    drop(taken);
}

#[tokio::test]
async fn a_store_path_that_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let written = good(folder.path());
    std::fs::write(folder.path().join("store"), "a file").unwrap();
    // `check` sees it too, so it is a fault of the configuration.
    let file = written.file.to_str().unwrap();
    for args in [&["run", "-c", file][..], &["check", file]] {
        let ended = greenlight(args).await;
        assert_eq!(ended.code, Some(CONFIGURATION), "{}", ended.text);
        assert!(ended.text.contains("store.path") && ended.text.contains("no folder"), "{}", ended.text);
    }
    assert_no_listener(written.listener);
    assert_no_listener(written.admin);
}

#[tokio::test]
async fn a_store_of_a_newer_version_and_one_in_use() {
    use greenlight::cli::demo::door::Door;

    let folder = tempfile::tempdir().unwrap();
    let written = good(folder.path());
    let log = folder.path().join("log");
    let mut door = Door::start(exe(), &written.file, &log, written.admin).unwrap();
    door.ready(LIMIT).await.unwrap();

    // A second door uses other ports and the same store.
    let other = tempfile::tempdir().unwrap();
    let second = good(other.path());
    let text = std::fs::read_to_string(&second.file).unwrap();
    let (own, shared) = (other.path().join("store"), folder.path().join("store"));
    std::fs::write(&second.file, text.replace(own.to_str().unwrap(), shared.to_str().unwrap())).unwrap();
    run_fails(&second, &["another greenlight", shared.to_str().unwrap()]).await;
    assert_no_listener(second.listener);
    assert!(door.admin.service(SERVICE).await.is_ok(), "the first goes on");

    door.terminate(LIMIT).await.unwrap();
    let database = rusqlite::Connection::open(shared.join("store.db")).unwrap();
    database.pragma_update(None, "user_version", 999).unwrap();
    drop(database);
    run_fails(&written, &["newer", "999"]).await;
    assert_no_listener(written.listener);
    assert_no_listener(written.admin);
}
