//! Whether an idle connection is still good. The system knows it, and the runtime may not know it yet.

use std::io::{Read as _, Write as _};

use tokio::io::AsyncReadExt as _;

use crate::data_plane::origin::stream::Stream;

/// The runtime looks at its sockets between tasks. Bytes that came since then are found all the same.
#[tokio::test]
async fn bytes_that_came_a_moment_ago_are_found() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut socket, _) = listener.accept().await.unwrap();
    peer.write_all(b"answer").unwrap();
    let mut room = [0; 64];
    assert_eq!(socket.read(&mut room).await.unwrap(), 6);
    let mut stream = Stream::Plain(socket);
    assert!(stream.is_quiet());
    // There is no await from here on, so the runtime has no turn in which it could learn of the bytes.
    peer.write_all(b"more").unwrap();
    assert!(!stream.is_quiet(), "bytes that nobody asked for");

    let Stream::Plain(mut socket) = stream else { unreachable!() };
    assert_eq!(socket.read(&mut room).await.unwrap(), 4);
    let mut stream = Stream::Plain(socket);
    assert!(stream.is_quiet());
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(!stream.is_quiet(), "its end");
    drop(stream);
    assert_eq!(peer.read(&mut room).unwrap(), 0);
}
