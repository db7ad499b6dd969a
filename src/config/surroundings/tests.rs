#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::is_low;
use crate::config::load;

/// The faults or warnings of a file with this store and this upstream.
fn said(store: &Path, upstream: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    let text = format!(
        "[[listeners]]\nbind = \"127.0.0.1:8080\"\n[store]\npath = \"{}\"\n[services.a]\nhosts = [\"a.example.org\"]\n\
         [services.a.upstream]\n{upstream}\n",
        store.display()
    );
    fs::write(&file, text).unwrap();
    match load(&file) {
        Ok(loaded) => loaded
            .warnings
            .iter()
            .flat_map(|warning| ["warning: ".to_owned(), warning.to_string(), "\n".to_owned()])
            .collect(),
        Err(faults) => faults.to_string(),
    }
}

const FIXED: &str = "blue = [\"127.0.0.1:1\"]\ngreen = [\"127.0.0.1:2\"]";

#[test]
fn a_store_folder_that_can_not_be_made_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(said(&folder.path().join("not/there/yet"), FIXED), "");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("store")] {
        let said = said(&path, FIXED);
        assert!(said.starts_with("store.path") && said.contains("is no folder"), "{said}");
    }
}

#[test]
fn a_socket_and_a_mount_that_do_not_exist_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let docker = |more: &str| {
        format!(
            "kind = \"docker\"\nimage = \"org/app:prod\"\nengines = [{{ url = \"unix://{}/no.sock\" }}]\n{more}",
            folder.path().display()
        )
    };
    let socket = said(folder.path(), &docker(""));
    assert!(
        socket.contains("warning: services.a.upstream.engines") && socket.contains("no.sock"),
        "{socket}"
    );
    let (missing, there) = (folder.path().join("missing"), folder.path());
    let mounts = format!(
        "mounts = [\"{}:/data\", \"{}:/there:ro\", \"a-volume:/volume\"]",
        missing.display(),
        there.display()
    );
    let warned = said(folder.path(), &docker(&mounts));
    assert_eq!(warned.matches("services.a.upstream.mounts").count(), 1, "{warned}");
    assert!(warned.contains("missing does not exist"), "{warned}");
    // The paths of an engine on another machine are not known here.
    let far = format!(
        "kind = \"docker\"\nimage = \"org/app:prod\"\nengines = [{{ url = \"tcp://127.0.0.1:2375\" }}]\n{mounts}"
    );
    assert_eq!(said(folder.path(), &far), "");
}

#[test]
fn a_low_port_is_one_under_the_systems_bound() {
    assert!(is_low(80, 1024) && is_low(1023, 1024));
    assert!(!is_low(1024, 1024) && !is_low(80, 80) && !is_low(0, 1024));
}
