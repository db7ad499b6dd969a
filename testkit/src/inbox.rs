//! What has come over a connection and was not taken yet: for origins over whatever carries bytes.

use std::io::Read;

#[derive(Debug, Default)]
pub struct Inbox(Vec<u8>);

impl Inbox {
    /// The next request's head; `None` at the end of the connection.
    pub fn head(&mut self, from: &mut impl Read) -> Option<String> {
        let head = self.take_until(from, b"\r\n\r\n")?;
        Some(String::from_utf8_lossy(&head).into_owned())
    }

    /// The next `count` bytes; `None` if the connection ends before.
    pub fn take(&mut self, from: &mut impl Read, count: usize) -> Option<Vec<u8>> {
        while self.0.len() < count {
            self.more(from)?;
        }
        Some(self.0.drain(..count).collect())
    }

    /// Everything up to and with `mark`; `None` if the connection ends before.
    pub fn take_until(&mut self, from: &mut impl Read, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.0.windows(mark.len()).position(|window| window == mark) {
                return Some(self.0.drain(..at + mark.len()).collect());
            }
            self.more(from)?;
        }
    }

    /// Whatever comes until the connection ends.
    pub fn rest(&mut self, from: &mut impl Read) -> Vec<u8> {
        while self.more(from).is_some() {}
        std::mem::take(&mut self.0)
    }

    fn more(&mut self, from: &mut impl Read) -> Option<()> {
        let mut bytes = [0; 16 * 1024];
        match from.read(&mut bytes) {
            Ok(0) | Err(_) => None,
            Ok(count) => {
                self.0.extend_from_slice(&bytes[..count]);
                Some(())
            }
        }
    }
}
