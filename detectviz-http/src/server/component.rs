//! The server as a part of a service.
use super::shared::Shared;
#[cfg(feature = "tls")]
use super::tls::Acceptor;
use super::{Bound, DrainToken, HttpService, ServerConfig, ServerDeps, Serving, listen::listen};
use async_trait::async_trait;
use detectviz_core::{
    error::{BoxError, Error, ErrorKind},
    task::Component,
};
use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An HTTP server that has not bound its port yet.
///
/// As a [`Component`] it binds and serves at `start`. Standing alone, [`bind`](Self::bind) and [`Bound::serve`] are the
/// same two steps.
pub struct Server<S> {
    name: Arc<str>,
    shared: Arc<Shared>,
    /// Only [`Send`] is asked of a service.
    service: Mutex<S>,
    serving: Mutex<Option<Serving>>,
}

// === impl Server ===

impl<S: HttpService> Server<S> {
    /// Builds the server of `service`. `name` is the component's, under which its settings stand. Nothing is bound and no
    /// file read yet.
    pub fn new(config: ServerConfig, name: &str, deps: ServerDeps, service: S) -> Self {
        Self {
            name: name.into(),
            shared: Arc::new(Shared::new(config, deps, name)),
            service: Mutex::new(service),
            serving: Mutex::default(),
        }
    }

    /// Takes the port.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when it is in use or not allowed, or the address is none of this machine's: the message
    /// names the key and the remedy. [`ErrorKind::Config`] when a TLS file does not serve.
    pub fn bind(&self) -> Result<Bound<S>, Error> {
        #[cfg(feature = "tls")]
        self.load_tls()?;
        let listener = listen(&self.shared.config, &self.name)?;
        let address = listener.local_addr().map_err(|err| {
            Error::new(ErrorKind::Internal, "the listening socket has no address").with_source(err)
        })?;
        Ok(Bound {
            shared: Arc::clone(&self.shared),
            service: lock(&self.service).clone(),
            listener,
            address,
            name: Arc::clone(&self.name),
        })
    }
}

impl<S> Server<S> {
    #[cfg(feature = "tls")]
    fn load_tls(&self) -> Result<(), Error> {
        let config = &self.shared.config;
        if config.tls.enabled {
            let acceptor = Acceptor::load(&config.tls, &self.name, config.http2.enabled)?;
            self.shared.tls.get_or_init(|| Arc::new(acceptor));
        }
        Ok(())
    }

    /// The address and port that clients connect to, once started.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        lock(&self.serving).as_ref().map(Serving::local_addr)
    }

    /// Tells long-lived handlers of the drain.
    #[must_use]
    pub fn drain_token(&self) -> DrainToken {
        self.shared.control.drain_token().clone()
    }

    fn serving(&self) -> Option<Serving> {
        lock(&self.serving).clone()
    }
}

#[async_trait]
impl<S: HttpService> Component for Server<S> {
    async fn start(&self) -> Result<(), BoxError> {
        let serving = self.bind()?.serve()?;
        tracing::info!(component = %self.name, address = %serving.local_addr(), "listening");
        *lock(&self.serving) = Some(serving);
        Ok(())
    }

    async fn drain(&self) -> Result<(), BoxError> {
        if let Some(serving) = self.serving() {
            serving.drain().await;
        }
        Ok(())
    }

    async fn stop(&self) -> Result<(), BoxError> {
        match self.serving() {
            Some(serving) => serving.stop().await,
            None => Ok(()),
        }
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name)
            .field("address", &self.local_addr())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
