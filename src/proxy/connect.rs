//! A fresh connection to an endpoint.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpSocket;

use super::seats::Seat;
use super::stream::Stream;
use super::wait::{Interrupt, unless_told};
use super::worker::Worker;

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// Refused, reset or unreachable: nothing runs there.
    Refused,
    TimedOut,
    /// Our own lack of files, ports or memory: says nothing about the endpoint.
    Exhausted,
    /// The attempt was ended by us.
    Cut,
}

/// Connects within `wait` (0: as long as the system tries). The deadline of `seat` is taken.
pub async fn connect(
    worker: &Worker,
    seat: &Seat,
    address: SocketAddr,
    wait: Duration,
) -> Result<Stream, ConnectFault> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|why| fault(&why))?;
    seat.arm(worker.ticks.after(wait));
    match unless_told(seat, socket.connect(address)).await {
        Ok(Ok(stream)) => {
            // Small requests must not wait for more of them; a socket that is gone shows later.
            let _ = stream.set_nodelay(true);
            Ok(Stream::Plain(stream))
        }
        Ok(Err(why)) => Err(fault(&why)),
        Err(Interrupt::Expired) => Err(ConnectFault::TimedOut),
        Err(Interrupt::Cut) => Err(ConnectFault::Cut),
    }
}

fn fault(why: &io::Error) -> ConnectFault {
    match why.kind() {
        io::ErrorKind::TimedOut => ConnectFault::TimedOut,
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory => ConnectFault::Exhausted,
        // EMFILE, ENFILE, ENOBUFS have no kind of their own.
        _ if matches!(why.raw_os_error(), Some(24 | 23 | 105)) => ConnectFault::Exhausted,
        _ => ConnectFault::Refused,
    }
}
