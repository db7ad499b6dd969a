//! Error pages and the preview token are read when the file is loaded. A page that can't be read is a
//! fault.

use std::fs;

use crate::config::{PAGE_BYTES_MAX, load};

use super::with;

fn with_service(lines: &str) -> String {
    with("").replace("[services.backend]", &format!("[services.backend]\n{lines}"))
}

#[test]
fn pages_and_token_are_read_when_the_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    fs::write(folder.path().join("503.html"), "<h1>soon</h1>").unwrap();
    fs::write(folder.path().join("504.JSON"), "{}").unwrap();
    fs::write(folder.path().join("token"), "open sesame\n").unwrap();
    let lines =
        "error_pages = { 503 = \"503.html\", 504 = \"504.JSON\" }\npreview_token = { file = \"token\" }";
    fs::write(&file, with_service(lines)).unwrap();
    let config = load(&file).unwrap().config;
    let settings = &config.services[0].settings;
    let page = settings.error_page(503).unwrap();
    assert_eq!((page.content_type, &*page.body), ("text/html; charset=utf-8", &b"<h1>soon</h1>"[..]));
    assert_eq!(settings.error_page(504).unwrap().content_type, "application/json");
    assert!(settings.error_page(502).is_none());
    let digest = ring::digest::digest(&ring::digest::SHA256, b"open sesame");
    assert_eq!(settings.preview_token.unwrap(), digest.as_ref());
    assert!(!format!("{settings:?}").contains("sesame"));
}

#[test]
fn a_page_that_is_too_large_or_of_no_known_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    let large = vec![b'x'; usize::try_from(PAGE_BYTES_MAX).unwrap() + 1];
    fs::write(folder.path().join("502.html"), large).unwrap();
    fs::write(folder.path().join("503.exe"), "x").unwrap();
    fs::write(&file, with_service("error_pages = { 502 = \"502.html\", 503 = \"503.exe\" }")).unwrap();
    let said = load(&file).expect_err("must be refused").to_string();
    assert!(said.contains("error_pages.502") && said.contains("larger than a page may be"), "{said}");
    assert!(said.contains("must end in .html, .htm, .json, .txt or .xml"), "{said}");
}
