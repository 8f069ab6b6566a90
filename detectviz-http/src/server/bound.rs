//! A server that has its port, and one that serves.
use super::{accept::Acceptor, control::Level, http_service::HttpService, shared::Shared};
use detectviz_core::error::{BoxError, Error, ErrorKind};
use std::{
    fmt,
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// A server that has its port. Clients may connect, and wait until it [serves](Self::serve).
pub struct Bound<S> {
    pub(super) shared: Arc<Shared>,
    pub(super) service: S,
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) name: Arc<str>,
}

/// A server that serves.
///
/// # Clone
/// Clones are the same server. Dropping all of them does not end it: [`stop`](Self::stop) does, and the cancellation of
/// its tasks.
#[derive(Clone)]
pub struct Serving {
    shared: Arc<Shared>,
    address: SocketAddr,
    name: Arc<str>,
}

/// How long connections that were cut may take to notice.
const SETTLE: Duration = Duration::from_millis(250);

// === impl Bound ===

impl<S> Bound<S> {
    /// The address and port that the server has; the port is the system's choice where the config says 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl<S: HttpService> Bound<S> {
    /// Begins to accept, on the current tokio runtime.
    ///
    /// # Errors
    /// When the runtime does not take the socket.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn serve(self) -> Result<Serving, Error> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(|err| {
            Error::new(
                ErrorKind::Internal,
                "the runtime does not take the listening socket",
            )
            .with_source(err)
        })?;
        #[cfg(feature = "tls")]
        if let Some(tls) = self.shared.tls.get() {
            let shared = Arc::clone(&self.shared);
            let reloaded = move |used| shared.recorder.reloaded(used);
            let watch = super::tls::watch(Arc::clone(tls), self.shared.tasks.clone(), reloaded);
            self.shared.tasks.spawn("tls-reload", watch);
        }
        let acceptor = Acceptor {
            shared: Arc::clone(&self.shared),
            service: self.service,
            listening: self.shared.control.listen(),
        };
        self.shared
            .tasks
            .spawn("http-accept", acceptor.run(listener));
        Ok(Serving {
            shared: self.shared,
            address: self.address,
            name: self.name,
        })
    }
}

impl<S> fmt::Debug for Bound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("name", &self.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

// === impl Serving ===

impl Serving {
    /// The address and port that clients connect to.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How many connections are open, upgraded ones included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.control.open()
    }

    /// Accepts what the backlog holds, closes the port, and returns once every connection has ended: requests are
    /// finished, HTTP/2 clients sent away with GOAWAY, event streams ended, silent connections closed after
    /// [`linger`](super::ServerConfig::linger), and upgraded ones waited for.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting and nothing else: the drain goes on, and [`stop`](Self::stop) cuts it.
    pub async fn drain(&self) {
        self.shared.control.raise(Level::Draining);
        self.shared.control.empty().await;
    }

    /// Cuts what is left and frees the port.
    ///
    /// # Errors
    /// [`ErrorKind::DrainDeadline`] when a request or an upgraded connection was cut.
    ///
    /// # Cancel safety
    /// The cut happens when the future is first polled.
    pub async fn stop(&self) -> Result<(), BoxError> {
        let control = &self.shared.control;
        control.raise(Level::Stopping);
        let _late = timeout(SETTLE, control.empty()).await;
        let requests = control.cut().requests.load(Ordering::Acquire);
        let upgraded = control.cut().upgraded.load(Ordering::Acquire);
        let held = control.open();
        if requests + upgraded + held == 0 {
            return Ok(());
        }
        let message = format!(
            "{}: cut {requests} requests and {upgraded} upgraded connections, and {held} connections are still held: raise shutdown.drain, or let handlers watch the drain token",
            self.name
        );
        Err(Error::new(ErrorKind::DrainDeadline, message).into())
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("name", &self.name)
            .field("address", &self.address)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
