//! One client connection. It serves request after request until one side ends it.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::http1::{HeadLimits, HeadProgress, Method, Peer, RequestFault, parse_request};

use super::after::After;
use super::listener::{Listener, TlsFacts};
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::request::answer::Own;
use crate::data_plane::request::exchange::ClientSide;
use crate::data_plane::request::{reply, serve};
use crate::data_plane::worker::address::ConnectionCount;
use crate::data_plane::worker::chunk::Chunk;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;

/// The most bytes of a body that are read and dropped before the connection closes. The client then
/// gets to read the answer instead of a reset.
const LINGER_BYTES_MAX: usize = 64 * 1024;
/// How long this reading may take.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// A client connection. It holds no buffer while it waits.
#[derive(Debug)]
pub(crate) struct Connection {
    pub worker: Rc<Worker>,
    pub handle: ConnectionHandle,
    pub stream: Stream,
    pub listener: Rc<Listener>,
    pub peer: Peer,
    /// `None` if the connection is not TLS.
    pub secured: Option<Rc<TlsFacts>>,
    /// Bytes of the next request that came early, or the part of a head that has come so far.
    pub ahead: Vec<u8>,
    /// The client has sent its FIN.
    pub ended: bool,
    /// `None` for a stream, because its connection is counted itself.
    pub counted: Option<ConnectionCount>,
}

/// The facts that the streams of an HTTP/2 connection share.
#[derive(Debug)]
pub(crate) struct ConnectionFacts {
    pub listener: Rc<Listener>,
    pub peer: Peer,
    pub secured: Option<Rc<TlsFacts>>,
}

/// The result of a wait for a request.
enum Next {
    /// The chunk begins with a head of so many bytes. The parsed head is in the worker's `request_head`
    /// until the next await.
    Request(Chunk, usize),
    /// The bytes are no request that greenlight serves. They begin with this method.
    Refused(RequestFault, Method),
    /// The client began a head and did not finish it in time.
    Late,
    /// No request came, or the client is gone.
    Nothing,
}

impl Connection {
    /// Borrows the parts of the connection that a request needs while it is served.
    pub(crate) fn lend(&mut self) -> (&Rc<Worker>, &ConnectionHandle, ClientSide<'_>) {
        let Self { worker, handle, stream, ahead, ended, .. } = self;
        (worker, handle, ClientSide { stream, ahead, ended })
    }

    /// Serves HTTP/1.1 until the connection ends. `first` holds the bytes that were already read.
    pub(crate) fn serve(&mut self, first: Chunk) -> impl Future<Output = ()> {
        let next = self.parse(first, &mut HeadProgress::default());
        async move {
            match self.run(next).await {
                After::Gone => {}
                After::Keep | After::Close => self.finish().await,
                After::Linger => self.linger().await,
                After::Reset => self.stream.reset_on_close(),
            }
        }
    }

    async fn run(&mut self, mut next: Option<Next>) -> After {
        loop {
            let next = match next.take() {
                Some(next) => next,
                None => self.next(self.worker.parts.limits.keep_alive_timeout).await,
            };
            let after = match next {
                // Boxed, because the state of a request is far larger than that of a wait. Unboxed,
                // every waiting connection would hold space for it.
                Next::Request(chunk, head_bytes) => Box::pin(serve::serve(self, chunk, head_bytes)).await,
                Next::Refused(fault, method) => reply::refuse(self, fault, method).await,
                Next::Late => reply::send(self, &Own::LATE_HEAD).await,
                Next::Nothing => After::Close,
            };
            if after != After::Keep {
                return after;
            }
        }
    }

    /// Makes a connection of a stream of an HTTP/2 connection.
    pub(crate) fn for_stream(
        worker: Rc<Worker>,
        handle: ConnectionHandle,
        stream: Stream,
        of: &ConnectionFacts,
    ) -> Self {
        Self {
            worker,
            handle,
            stream,
            listener: Rc::clone(&of.listener),
            peer: of.peer,
            secured: of.secured.clone(),
            ahead: Vec::new(),
            ended: false,
            counted: None,
        }
    }

    /// Serves the one request whose head is in `chunk`.
    pub(crate) async fn serve_one(&mut self, chunk: Chunk, limits: &HeadLimits) {
        let parsed = {
            let head = &mut *self.worker.request_head.borrow_mut();
            head.clear();
            parse_request(chunk.data(), limits, head)
        };
        match parsed {
            Ok(Some(head_bytes)) => {
                serve::serve(self, chunk, head_bytes).await;
            }
            Ok(None) => {}
            Err(fault) => {
                let method = Method::at_start(chunk.data());
                reply::refuse(self, fault, method).await;
            }
        }
    }

    /// Waits for a request's head: for up to `idle` until its first byte, then for up to
    /// `request_head_timeout`.
    async fn next(&mut self, idle: Duration) -> Next {
        let head_timeout = self.worker.parts.limits.request_head_timeout;
        let mut begun = has_begun(&self.ahead);
        self.handle.arm(self.worker.ticks.after(if begun { head_timeout } else { idle }));
        // A head that arrives in many pieces is searched once, and not from its start at each piece.
        let mut progress = HeadProgress::default();
        if !self.ahead.is_empty()
            && let Some(next) = self.parse_ahead(&mut progress)
        {
            return next;
        }
        loop {
            let Some(chunk) = self.fill(begun).await else {
                return if begun && self.handle.signals().expired() { Next::Late } else { Next::Nothing };
            };
            if let Some(next) = self.parse(chunk, &mut progress) {
                return next;
            }
            if !begun && has_begun(&self.ahead) {
                begun = true;
                self.handle.arm(self.worker.ticks.after(head_timeout));
            }
        }
    }

    fn parse_ahead(&mut self, progress: &mut HeadProgress) -> Option<Next> {
        let mut chunk = self.worker.chunks.take();
        chunk.append(&self.ahead);
        self.parse(chunk, progress)
    }

    /// Reads a head from `chunk`, which begins with the bytes of `ahead`. `progress` says how far the
    /// search for the head's end has come in them. If the head is not complete, the bytes are kept in
    /// `ahead`.
    fn parse(&mut self, chunk: Chunk, progress: &mut HeadProgress) -> Option<Next> {
        let head = &mut *self.worker.request_head.borrow_mut();
        head.resume(*progress);
        match parse_request(chunk.data(), &self.worker.head_limits, head) {
            Ok(Some(head_bytes)) => {
                // A new vector, so that an idle connection does not keep the memory of the old one.
                self.ahead = Vec::new();
                Some(Next::Request(chunk, head_bytes))
            }
            Ok(None) => {
                *progress = head.progress();
                let fresh = chunk.data().get(self.ahead.len()..).unwrap_or_default();
                self.ahead.extend_from_slice(fresh);
                None
            }
            Err(fault) => Some(Next::Refused(fault, Method::at_start(chunk.data()))),
        }
    }

    /// Waits for bytes, and reads them behind those that came before. `None` if the client is gone, if
    /// the deadline has passed, if the connection is cut, or if the worker closes and no request has
    /// `begun`.
    async fn fill(&mut self, begun: bool) -> Option<Chunk> {
        if self.ended {
            return None;
        }
        poll_fn(|context| {
            let mut chunk = self.worker.chunks.take();
            chunk.append(&self.ahead);
            match self.stream.poll_fill(context, &mut chunk) {
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.ended = true;
                    Poll::Ready(None)
                }
                Poll::Ready(Ok(_)) => Poll::Ready(Some(chunk)),
                Poll::Pending => {
                    let signals = self.handle.signals();
                    let ends = signals.expired() || signals.cut() || (signals.closing() && !begun);
                    if ends { Poll::Ready(None) } else { Poll::Pending }
                }
            }
        })
        .await
    }

    /// Writes all of `bytes`. False if the client is gone, or has not taken them within
    /// `write_stall_timeout`.
    pub(crate) async fn send_all(&mut self, bytes: &[u8]) -> bool {
        self.handle.arm(self.worker.ticks.after(self.worker.parts.limits.write_stall_timeout));
        let mut sent = 0;
        poll_fn(|context| {
            while sent < bytes.len() {
                match self.stream.poll_send(context, &bytes[sent..]) {
                    Poll::Ready(Ok(count)) if count > 0 => sent += count,
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending if self.handle.signals().expired() => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.stream.poll_push(context) {
                Poll::Ready(pushed) => Poll::Ready(pushed.is_ok()),
                Poll::Pending if self.handle.signals().expired() => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Tells a TLS client that nothing more will be sent. On a plain socket the close alone says it.
    async fn finish(&mut self) {
        if !self.stream.is_tls() {
            return;
        }
        self.handle.arm(self.worker.ticks.after(LINGER_TIME));
        poll_fn(|context| match self.stream.poll_end(context) {
            Poll::Pending if !self.handle.signals().expired() => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }

    /// Tells the client that nothing more will be sent, and reads on for at most `LINGER_TIME`.
    async fn linger(&mut self) {
        self.handle.arm(self.worker.ticks.after(LINGER_TIME));
        let mut left = if self.ended { 0 } else { LINGER_BYTES_MAX };
        poll_fn(|context| {
            // Over TLS the end may have to wait for room in the socket. To read meanwhile makes no
            // room.
            let finished = self.stream.poll_finish(context);
            if finished.is_pending() && !self.handle.signals().expired() {
                return Poll::Pending;
            }
            while left > 0 {
                let mut chunk = self.worker.chunks.take();
                match self.stream.poll_fill(context, &mut chunk) {
                    Poll::Ready(Ok(count)) if count > 0 => left = left.saturating_sub(count),
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending if self.handle.signals().expired() => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// Whether a request has begun. Empty lines do not count, since some clients send one behind a body
/// (RFC 9112, 2.2).
fn has_begun(ahead: &[u8]) -> bool {
    !ahead.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}
