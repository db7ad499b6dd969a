#![allow(clippy::unwrap_used)]
//! Where the credentials of a registry may go.

use super::check;

fn judge(realm: &str, registry: &str) -> bool {
    check(&realm.parse().unwrap(), registry).is_ok()
}

#[test]
fn credentials_go_to_the_registry_itself_or_to_https_elsewhere() {
    let hub = "https://registry-1.docker.io";
    assert!(judge("https://auth.docker.io/token", hub));
    assert!(judge("https://registry-1.docker.io/token", hub));
    assert!(judge("https://10.0.0.7:5001/token", "https://10.0.0.7:5000"));
    // A registry of this machine that is spoken to in the clear has its own token server.
    assert!(judge("http://127.0.0.1:5001/token", "http://127.0.0.1:5000"));
    for realm in [
        "http://auth.docker.io/token",
        "ftp://auth.docker.io/token",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/token",
        "https://[::ffff:169.254.169.254]/token",
        "https://127.0.0.1/token",
        "https://[::1]/token",
        "https://0.0.0.0/token",
        "https://localhost/token",
        "https://x.localhost:8443/token",
        "http://registry-1.docker.io/token",
    ] {
        assert!(!judge(realm, hub), "{realm}");
    }
    assert!(!judge("https://169.254.169.254/token", "https://169.254.169.254"));
    assert!(!judge("http://10.0.0.1/token", "http://127.0.0.1:5000"));
}
