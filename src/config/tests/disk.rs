//! Files that can't be read, and files that a configuration refers to.

use std::fs;
use std::path::Path;

use crate::config::{FILE_BYTES_MAX, SECRET_BYTES_MAX, Secret, load};

use super::{read, with};

/// The faults that loading a path gives, as a text.
fn said(path: &Path) -> String {
    load(path).expect_err("must be refused").to_string()
}

#[test]
fn a_file_that_is_no_configuration_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    assert!(said(&file).contains("there is no file"), "{}", said(&file));
    assert!(said(folder.path()).contains("is a folder"), "{}", said(folder.path()));
    for empty in ["", "\n \n", "# only a comment\n", "\u{feff}"] {
        fs::write(&file, empty).unwrap();
        assert!(said(&file).contains("is empty"), "{empty:?}: {}", said(&file));
    }
    fs::write(&file, b"[log]\nlevel = \"\xff\"\n").unwrap();
    assert!(said(&file).contains("is not UTF-8 text (line 2)"), "{}", said(&file));
    fs::write(&file, "#".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1)).unwrap();
    assert!(said(&file).contains("larger than 1048576 bytes"), "{}", said(&file));
    fs::write(&file, b"\x7fELF\x02\x01\x01\x00").unwrap();
    assert!(said(&file).contains("not TOML"), "{}", said(&file));
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    fs::write(&file, format!("\u{feff}{}", read("config/minimal.toml"))).unwrap();
    load(&file).unwrap();
}

#[test]
fn relative_paths_are_taken_from_the_files_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    fs::write(folder.path().join("token"), "abc\n").unwrap();
    let text = with(
        "[store]\npath = \"data\"\n[log]\naccess = \"access.log\"\n[admin]\ntoken = { file = \"token\" }",
    );
    fs::write(&file, text).unwrap();
    let config = load(&file).unwrap().config;
    assert_eq!(config.store_path, folder.path().join("data"));
    assert_eq!(config.log.access, crate::config::Access::File(folder.path().join("access.log")));
    let token = config.admin.token.unwrap();
    assert_eq!(token, Secret::File(folder.path().join("token")));
    assert_eq!(token.read().unwrap(), "abc");
}

#[test]
fn a_secret_that_is_not_there_is_a_fault_with_its_key_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    let secret = folder.path().join("token");
    let admin = |token: &str| with(&format!("[admin]\ntoken = {token}"));
    fs::write(&file, admin("{ file = \"token\" }")).unwrap();
    let line =
        fs::read_to_string(&file).unwrap().lines().position(|line| line.starts_with("token")).unwrap() + 1;
    let expect = |what: &str| {
        let faults = load(&file).expect_err("must be refused").0;
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!((faults[0].key.as_str(), faults[0].line), ("admin.token", Some(line)));
        assert!(faults[0].message.contains(what), "{}", faults[0]);
        assert!(!faults[0].to_string().contains("sesame"), "{}", faults[0]);
    };
    expect("can't be read");
    for (content, what) in [
        (&b""[..], "is empty"),
        (b"\n", "is empty"),
        (b"sesame\xff", "not UTF-8"),
        (&vec![b'x'; usize::try_from(SECRET_BYTES_MAX).unwrap() + 1], "longer than"),
    ] {
        fs::write(&secret, content).unwrap();
        expect(what);
    }
    fs::write(&file, admin("{ env = \"GREENLIGHT_TEST_NO_SUCH_VARIABLE\" }")).unwrap();
    expect("environment variable GREENLIGHT_TEST_NO_SUCH_VARIABLE is not set");
}

#[test]
fn a_secret_loses_one_newline_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    for (content, secret) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a b ", " a b ")]
    {
        fs::write(&path, content).unwrap();
        assert_eq!(Secret::File(path.clone()).read().unwrap(), secret, "{content:?}");
    }
    let longest = "x".repeat(usize::try_from(SECRET_BYTES_MAX).unwrap());
    fs::write(&path, &longest).unwrap();
    assert_eq!(Secret::File(path).read().unwrap(), longest);
}
