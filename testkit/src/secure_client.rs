//! A TLS client that sees what it was shown.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::certs::{Authority, Issued};
use crate::client::PATIENCE;
use crate::seeing::Seeing;

/// What a server has shown.
#[derive(Debug, Default, Clone)]
pub struct Shown {
    pub names: Vec<String>,
    pub ocsp: Vec<u8>,
}

/// Verifies the chain, and notes what it was shown, whatever name was asked for.
fn noting(inner: Arc<WebPkiServerVerifier>, shown: Arc<Mutex<Shown>>) -> Seeing {
    Seeing(Box::new(move |end_entity, intermediates, ocsp, now| {
        let names = greenlight::tls::names_of(end_entity).names;
        if let Some(name) = names.first() {
            let name = ServerName::try_from(name.replace("*.", "any.")).unwrap();
            inner.verify_server_cert(end_entity, intermediates, &name, &[], now)?;
        }
        *shown.lock().unwrap() = Shown { names, ocsp: ocsp.to_vec() };
        Ok(())
    }))
}

/// How to connect, and what was shown the last time.
#[derive(Debug, Clone)]
pub struct Settings {
    pub config: ClientConfig,
    pub shown: Arc<Mutex<Shown>>,
}

impl Settings {
    pub fn new(authority: &Authority) -> Self {
        Self::with(authority, rustls::ALL_VERSIONS, None)
    }

    pub fn with(
        authority: &Authority,
        versions: &[&'static SupportedProtocolVersion],
        identity: Option<&Issued>,
    ) -> Self {
        let provider = greenlight::tls::provider();
        let shown = Arc::<Mutex<Shown>>::default();
        let roots: Arc<RootCertStore> = Arc::new(authority.roots());
        let inner =
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build().unwrap();
        let verifier = noting(inner, Arc::clone(&shown));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(issued) => builder.with_client_auth_cert(issued.chain(), issued.private()).unwrap(),
        };
        config.resumption = Resumption::in_memory_sessions(16);
        Self { config, shown }
    }

    pub fn shown(&self) -> Shown {
        self.shown.lock().unwrap().clone()
    }

    /// Connects and shakes hands; `name` is what is asked for by SNI (an address: nothing is).
    pub fn connect(&self, address: SocketAddr, name: &str) -> SecureClient {
        self.try_connect(address, name).expect("a handshake")
    }

    pub fn try_connect(&self, address: SocketAddr, name: &str) -> std::io::Result<SecureClient> {
        self.over(TcpStream::connect(address).unwrap(), name)
    }

    pub fn over(&self, mut socket: TcpStream, name: &str) -> std::io::Result<SecureClient> {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut session = ClientConnection::new(Arc::new(self.config.clone()), name).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(SecureClient { stream: StreamOwned::new(session, socket), buffer: Vec::new() })
    }
}

#[derive(Debug)]
pub struct SecureClient {
    pub stream: StreamOwned<ClientConnection, TcpStream>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub struct Response {
    pub head: String,
    pub status: u16,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl SecureClient {
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the front door reads");
        self.stream.flush().unwrap();
    }

    pub fn get(&mut self, host: &str, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        self.response().expect("a whole response")
    }

    /// One response, framed by its length.
    pub fn response(&mut self) -> Result<Response, String> {
        let head = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8(self.buffer.drain(..at + 4).collect()).unwrap();
            }
            self.more()?;
        };
        let status = head[9..12].parse().unwrap();
        let mut response = Response { head, status, body: Vec::new() };
        if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().unwrap();
            while self.buffer.len() < length {
                self.more()?;
            }
            response.body = self.buffer.drain(..length).collect();
        }
        Ok(response)
    }

    fn more(&mut self) -> Result<(), String> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err("closed".to_owned()),
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(why) => Err(why.to_string()),
        }
    }

    /// Everything to the end, and how it ended: true for a `close_notify`.
    pub fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut all = std::mem::take(&mut self.buffer);
        let orderly = loop {
            let mut bytes = [0; 16 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => break true,
                Ok(count) => all.extend_from_slice(&bytes[..count]),
                Err(why) => {
                    let cut = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                    assert!(cut.contains(&why.kind()), "{why}");
                    break false;
                }
            }
        };
        (all, orderly)
    }

    pub fn kind(&self) -> HandshakeKind {
        self.stream.conn.handshake_kind().unwrap()
    }
}
