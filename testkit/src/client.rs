//! A client that sends bytes and reads responses strictly, so that what is wrong shows.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Client {
    pub socket: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub head: String,
    pub status: u16,
    pub body: Vec<u8>,
    /// The body as it was framed, chunk lines included.
    pub raw_body: Vec<u8>,
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

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        Self::of(TcpStream::connect(address).expect("the front door listens"))
    }

    pub fn of(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, buffer: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).expect("the front door reads");
    }

    pub fn get(&mut self, host: &str, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        self.response()
    }

    /// The same, where the front door may close instead.
    pub fn try_get(&mut self, host: &str, path: &str) -> Result<Response, String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.socket.write_all(request.as_bytes()).map_err(|why| why.to_string())?;
        self.try_response(false)
    }

    /// Whether a byte of an answer, or the end, is there now.
    pub fn has_answer(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let peeked = self.socket.peek(&mut [0]);
        self.socket.set_nonblocking(false).unwrap();
        !self.buffer.is_empty() || !matches!(peeked, Err(why) if why.kind() == ErrorKind::WouldBlock)
    }

    pub fn half_close(&self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    /// One response to anything but HEAD.
    pub fn response(&mut self) -> Response {
        self.try_response(false).expect("a whole response")
    }

    /// One response to HEAD.
    pub fn head_response(&mut self) -> Response {
        self.try_response(true).expect("a whole response")
    }

    /// One response, or what came of it before the connection ended.
    pub fn try_response(&mut self, to_head: bool) -> Result<Response, String> {
        let head = self.take_head()?;
        let status: u16 = head[9..12].parse().map_err(|_| format!("no status in {head:?}"))?;
        let mut response = Response { head, status, body: Vec::new(), raw_body: Vec::new() };
        if to_head || status < 200 || status == 204 || status == 304 {
            return Ok(response);
        }
        if response.header("transfer-encoding") == Some("chunked") {
            assert_eq!(response.header("content-length"), None, "{}", response.head);
            self.take_chunks(&mut response)?;
        } else if let Some(length) = response.header("content-length") {
            let length = length.parse().expect("a number");
            response.body = self.take(length)?;
            response.raw_body.clone_from(&response.body);
        } else {
            assert_eq!(response.header("connection"), Some("close"), "no framing in {}", response.head);
            response.body = self.rest()?;
        }
        Ok(response)
    }

    fn take_chunks(&mut self, response: &mut Response) -> Result<(), String> {
        loop {
            let line = self.take_line()?;
            response.raw_body.extend_from_slice(line.as_bytes());
            let size = usize::from_str_radix(line.trim_end(), 16).map_err(|_| format!("chunk {line:?}"))?;
            if size == 0 {
                break;
            }
            let data = self.take(size + 2)?;
            assert!(data.ends_with(b"\r\n"), "a chunk ends in CRLF");
            response.body.extend_from_slice(&data[..size]);
            response.raw_body.extend_from_slice(&data);
        }
        loop {
            let line = self.take_line()?;
            response.raw_body.extend_from_slice(line.as_bytes());
            if line == "\r\n" {
                return Ok(());
            }
        }
    }

    pub fn take_head(&mut self) -> Result<String, String> {
        let end = self.find(b"\r\n\r\n")? + 4;
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    fn take_line(&mut self) -> Result<String, String> {
        let end = self.find(b"\r\n")? + 2;
        let line: Vec<u8> = self.buffer.drain(..end).collect();
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    pub fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.buffer.len() < count {
            self.more()?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// Everything until the other side closes in an orderly way.
    pub fn rest(&mut self) -> Result<Vec<u8>, String> {
        loop {
            match self.read_some() {
                Ok(0) => return Ok(std::mem::take(&mut self.buffer)),
                Ok(_) => {}
                Err(why) => return Err(format!("reset: {why}")),
            }
        }
    }

    /// Forgets what was read and not taken.
    pub fn forget(&mut self) {
        self.buffer.clear();
    }

    /// Waits for the end of the connection, orderly or not, and checks that nothing came before.
    pub fn expect_end(&mut self) {
        assert!(self.buffer.is_empty(), "unread: {:?}", String::from_utf8_lossy(&self.buffer));
        match self.read_some() {
            Ok(0) => {}
            Ok(_) => panic!("more came: {:?}", String::from_utf8_lossy(&self.buffer)),
            Err(why) => assert!(
                matches!(why.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                "the connection stays open: {why}"
            ),
        }
    }

    /// Whether the connection is open and silent now.
    pub fn is_open(&mut self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let silent = matches!(self.read_some(), Err(why) if why.kind() == ErrorKind::WouldBlock);
        self.socket.set_nonblocking(false).unwrap();
        silent
    }

    fn find(&mut self, needle: &[u8]) -> Result<usize, String> {
        loop {
            if let Some(at) = self.buffer.windows(needle.len()).position(|window| window == needle) {
                return Ok(at);
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> Result<(), String> {
        match self.read_some() {
            Ok(0) => Err(format!("closed after {:?}", String::from_utf8_lossy(&self.buffer))),
            Ok(_) => Ok(()),
            Err(why) => Err(format!("{why} after {:?}", String::from_utf8_lossy(&self.buffer))),
        }
    }

    fn read_some(&mut self) -> std::io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        let count = self.socket.read(&mut bytes)?;
        self.buffer.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
}
