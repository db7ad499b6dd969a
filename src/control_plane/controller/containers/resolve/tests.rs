#![allow(clippy::unwrap_used)]

use super::*;

fn meant(text: &str) -> Result<String, String> {
    let own = ImageReference::parse("registry.example.org:5000/org/shop:prod").unwrap();
    typed(text, Some(own)).map(|image| image.to_string()).map_err(|why| why.to_string())
}

#[test]
fn a_bare_version_is_a_tag_of_the_services_own_image() {
    for version in ["1.2.3", "v42", "2026-11-24", "7", "V2-rc.1"] {
        assert_eq!(meant(version).unwrap(), format!("registry.example.org:5000/org/shop:{version}"));
    }
    let digest = format!("sha256:{}", "0a".repeat(32));
    assert_eq!(meant(&digest).unwrap(), format!("registry.example.org:5000/org/shop:prod@{digest}"));
}

#[test]
fn an_image_stays_an_image() {
    for (text, image) in [
        ("org/shop:1.2.3", "org/shop:1.2.3"),
        ("redis:7", "redis:7"),
        ("localhost:5000/shop", "localhost:5000/shop:latest"),
        ("registry.example.org:5000/org/shop", "registry.example.org:5000/org/shop:latest"),
    ] {
        assert_eq!(meant(text).unwrap(), image);
    }
    let hub = ImageReference::parse("nginx:1.25").unwrap();
    assert_eq!(typed("nginx", Some(hub)).unwrap().to_string(), "nginx:latest");
    assert_eq!(typed("1.2.3", None).unwrap().to_string(), "1.2.3:latest");
}

#[test]
fn a_word_that_can_mean_both_is_refused_with_both_readings() {
    for word in ["latest", "prod", "redis"] {
        let why = meant(word).unwrap_err();
        assert!(why.contains(&format!("the image {word}:latest")), "{why}");
        assert!(why.contains(&format!("registry.example.org:5000/org/shop:{word}")), "{why}");
    }
}
