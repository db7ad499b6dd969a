//! Pebble and its DNS server, in a folder and on ports of their own.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Both programs, or a word about what is left out.
pub(super) fn is_installed() -> bool {
    let found =
        |name: &str| Command::new(name).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found("pebble").is_ok() && found("pebble-challtestsrv").is_ok() {
        return true;
    }
    let required = std::env::var("GREENLIGHT_REQUIRE_ENGINES").is_ok_and(|value| value == "1");
    assert!(!required, "pebble is missing: apt-get install pebble");
    eprintln!("left out: there is no pebble here (apt-get install pebble)");
    false
}

#[derive(Debug)]
pub(super) struct Pebble {
    folder: tempfile::TempDir,
    port: u16,
    children: Vec<Child>,
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn free_udp() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Pebble {
    /// Validates HTTP-01 on port `http` and TLS-ALPN-01 on port `tls` of 127.0.0.1, whatever the host;
    /// its certificates are good for `life` seconds.
    pub(super) fn start(http: u16, tls: u16, life: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
        fs::write(at("ca.pem"), ca.pem()).unwrap();
        fs::write(at("own.pem"), own.pem()).unwrap();
        fs::write(at("own.key"), key.serialize_pem()).unwrap();
        let (port, dns, management) = (free(), free_udp(), free());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{}", free()),
            "certificate": at("own.pem"),
            "privateKey": at("own.key"),
            "httpPort": http,
            "tlsPort": tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": life,
        }});
        fs::write(at("pebble.json"), config.to_string()).unwrap();
        let log = |name: &str| fs::File::create(at(name)).unwrap();
        let names = Command::new("pebble-challtestsrv")
            .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", ""])
            .args(["-tlsalpn01", "", "-dns01", &format!("127.0.0.1:{dns}")])
            .args(["-management", &format!("127.0.0.1:{management}")])
            .stdin(Stdio::null())
            .stdout(log("dns.out"))
            .stderr(log("dns.err"))
            .spawn()
            .unwrap();
        let server = Command::new("pebble")
            .args(["-strict", "-dnsserver", &format!("127.0.0.1:{dns}"), "-config"])
            .arg(at("pebble.json"))
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_VA_ALWAYS_VALID", "0")
            .stdin(Stdio::null())
            .stdout(log("pebble.out"))
            .stderr(log("pebble.err"))
            .spawn()
            .unwrap();
        let pebble = Self { folder, port, children: vec![server, names] };
        let deadline = greenlight::clock::instant() + Duration::from_secs(20);
        let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        while !listens(port) || !listens(management) {
            assert!(greenlight::clock::instant() < deadline, "pebble does not listen: {}", pebble.log());
            std::thread::yield_now();
        }
        pebble
    }

    pub(super) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    pub(super) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(super) fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        ["pebble.out", "pebble.err", "dns.out", "dns.err"].map(read).concat()
    }

    /// Ends both programs; the files stay.
    pub(super) fn stopped(mut self) -> Self {
        self.stop();
        self
    }

    fn stop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.children.clear();
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        self.stop();
    }
}
