//! Accepts connections, whatever happens, until the drain.
use super::{
    connection::{Accepted, serve},
    control::{Level, Listening, Place},
    http_service::HttpService,
    listen::shut_the_door,
    shared::Shared,
    stream::Stream,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};

/// How long to wait after an error that time may heal, such as too many open files: doubled each time, up to `LONGEST`.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);
/// How long a handshake that has begun may take to end: a round trip within a cluster, generously.
const HANDSHAKE: Duration = Duration::from_millis(10);

/// The accept loop of one server.
pub(super) struct Acceptor<S> {
    pub(super) shared: Arc<Shared>,
    pub(super) service: S,
    pub(super) listening: Listening,
}

// === impl Acceptor ===

impl<S: HttpService> Acceptor<S> {
    /// Runs until the server drains or stops, and leaves nothing in the backlog of a server that drains.
    pub(super) async fn run(mut self, listener: TcpListener) {
        let mut backoff = SHORTEST;
        let control = Arc::clone(&self.shared.control);
        let cancelled = self.shared.tasks.token();
        loop {
            let told = control.told();
            if control.level() != Level::Running {
                break;
            }
            tokio::select! {
                biased;
                () = told => {}
                () = cancelled.cancelled() => control.raise(Level::Stopping),
                next = self.next(&listener) => match next {
                    Ok((stream, peer, place)) => {
                        backoff = SHORTEST;
                        self.spawn(stream, peer, place);
                    }
                    Err(err) if is_of_one_connection(&err) => {}
                    Err(err) => {
                        self.shared.recorder.accept_failed();
                        tracing::warn!(error = %err, "cannot accept connections; trying again");
                        tokio::time::sleep(backoff).await;
                        backoff = (backoff * 2).min(LONGEST);
                    }
                },
            }
        }
        if control.level() == Level::Draining {
            self.empty(listener).await;
        }
        drop(self.listening);
    }

    /// The next connection, once there is a place for it.
    async fn next(&mut self, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr, Place)> {
        let (max, reserve) = self.limits();
        let control = &self.shared.control;
        if control.open() >= max + reserve {
            self.shared.recorder.full();
            control.fewer_than(max + reserve).await;
        }
        let (stream, peer) = listener.accept().await?;
        Ok((stream, peer, control.place(max)))
    }

    fn limits(&self) -> (usize, usize) {
        let config = &self.shared.config;
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        (count(config.max_connections), count(config.probe_reserve))
    }

    /// Accepts what the backlog holds: whoever was let in by the system has reason to hope.
    async fn empty(&mut self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        if let Err(err) = shut_the_door(&listener) {
            tracing::debug!(error = %err, "cannot hold back new connections while the backlog is emptied");
        }
        let mut quiet = false;
        while self.shared.control.level() == Level::Draining {
            match listener.accept() {
                Ok((stream, peer)) => {
                    quiet = false;
                    let nonblocking = stream.set_nonblocking(true);
                    if let Ok(stream) = nonblocking.and_then(|()| TcpStream::from_std(stream)) {
                        let place = self.shared.control.place(self.limits().0);
                        self.spawn(stream, peer, place);
                    }
                }
                Err(err) if is_of_one_connection(&err) => {}
                Err(_) if quiet => return,
                Err(_) => {
                    quiet = true;
                    tokio::time::sleep(HANDSHAKE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        // Without it a response waits for the acknowledgement of the one before. A socket that is gone already is found
        // out by the first read.
        let _gone = stream.set_nodelay(true);
        self.shared.recorder.accepted(place.is_reserved());
        let accepted = Accepted {
            stream: Stream::Plain(stream),
            peer: Some(peer),
            place,
        };
        let serve = serve(Arc::clone(&self.shared), self.service.clone(), accepted);
        self.shared.tasks.spawn("http-connection", serve);
    }
}

/// The connection ended before it was accepted (accept(2)); the next may be fine.
fn is_of_one_connection(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
