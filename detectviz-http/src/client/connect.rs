//! Makes connections: TCP, then TLS where the scheme says so, within one limit.
use super::{
    ClientConfig, ConnectFailed, ConnectTimeout,
    executor::Executor,
    live::LiveDuration,
    pool::{EndpointPool, PoolLimits, PoolSettings, WeakPool},
};
use detectviz_core::error::{BoxError, Error};
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tower_service::Service;

#[cfg(feature = "tls")]
type Inner = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Inner = HttpConnector;

type Stream = <Inner as Service<Uri>>::Response;

/// What pools are made with.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    config: ClientConfig,
    executor: Executor,
    connect_timeout: Arc<LiveDuration>,
    /// Those that were made and may still be there.
    made: Arc<Mutex<Vec<WeakPool>>>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// Connects within the limit, and says who could not be reached.
#[derive(Clone)]
pub(super) struct Connector {
    inner: Inner,
    limit: Arc<LiveDuration>,
}

// === impl Pools ===

impl Pools {
    /// # Errors
    /// `Config` when the certificate authorities cannot be read.
    pub(super) fn new(config: ClientConfig, executor: Executor) -> Result<Self, Error> {
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: tls::trusting(&config)?,
            connect_timeout: Arc::new(LiveDuration::new(config.connect_timeout)),
            config,
            executor,
            made: Arc::default(),
        })
    }

    /// Goes on with other settings, as far as they may change.
    pub(super) fn reconfigure(&self, config: &ClientConfig) {
        self.connect_timeout.set(config.connect_timeout);
    }

    /// Whether there is anybody to trust on `https`.
    pub(super) fn has_trust_roots(&self) -> bool {
        #[cfg(feature = "tls")]
        let trust = self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        let trust = false;
        trust
    }

    /// A pool of connections to `target`, of which scheme and authority count. Over `https` the server is verified by the host of
    /// `target` or, when it is given, by `server_name`.
    pub(super) fn pool(
        &self,
        target: Uri,
        server_name: Option<&str>,
        limits: &Arc<PoolLimits>,
    ) -> EndpointPool {
        let config = &self.config;
        let settings = PoolSettings {
            h2: config.h2,
            limits: Arc::clone(limits),
            max_idle: config.pool_max_idle_per_host,
            idle_timeout: config.pool_idle_timeout,
        };
        let connector = self.connector(server_name);
        let pool = EndpointPool::new(target, connector, settings, self.executor.clone());
        self.made().push(pool.downgrade());
        pool
    }

    /// Closes connections that were idle for too long at `now`.
    pub(super) fn reap(&self, now: Instant) {
        let mut there = Vec::new();
        self.made().retain(|pool| {
            let pool = pool.upgrade();
            let is_there = pool.is_some();
            there.extend(pool);
            is_there
        });
        there.iter().for_each(|pool| pool.reap(now));
    }

    fn made(&self) -> MutexGuard<'_, Vec<WeakPool>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long an idle connection is kept.
    pub(super) fn idle_timeout(&self) -> Duration {
        self.config.pool_idle_timeout
    }

    fn connector(&self, server_name: Option<&str>) -> Connector {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        #[cfg(feature = "tls")]
        let inner = self.secured(tcp, server_name);
        #[cfg(not(feature = "tls"))]
        let inner = {
            let _ = server_name;
            tcp
        };
        Connector {
            inner,
            limit: Arc::clone(&self.connect_timeout),
        }
    }
}

#[cfg(feature = "tls")]
mod tls {
    //! TLS by rustls, with everything given explicitly.
    use super::{ClientConfig, Error, HttpConnector, Inner, Pools};
    use crate::client::source::trust_roots;
    use detectviz_core::error::ErrorKind;
    use hyper_rustls::{DefaultServerNameResolver, FixedServerNameResolver, ResolveServerName};
    use rustls::{ClientConfig as TlsConfig, RootCertStore, pki_types::ServerName};
    use std::sync::Arc;

    pub(super) fn trusting(config: &ClientConfig) -> Result<Option<Arc<TlsConfig>>, Error> {
        let Some(path) = &config.tls.ca_file else {
            return Ok(None);
        };
        verifying(config, trust_roots(path)?).map(Some)
    }

    fn verifying(config: &ClientConfig, roots: RootCertStore) -> Result<Arc<TlsConfig>, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = TlsConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::new(ErrorKind::Internal, "TLS cannot be set up").with_source(e))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let protocol: &[u8] = if config.h2 { b"h2" } else { b"http/1.1" };
        tls.alpn_protocols = vec![protocol.to_vec()];
        Ok(Arc::new(tls))
    }

    impl Pools {
        pub(super) fn secured(&self, tcp: HttpConnector, server_name: Option<&str>) -> Inner {
            // Without trust roots nothing gets here over https: the call is refused before.
            let tls = self
                .tls
                .clone()
                .or_else(|| verifying(&self.config, RootCertStore::empty()).ok());
            let tls = tls.expect("ring has every safe protocol version");
            let fixed = server_name.and_then(|name| ServerName::try_from(name.to_owned()).ok());
            let names: Arc<dyn ResolveServerName + Send + Sync> = match fixed {
                Some(name) => Arc::new(FixedServerNameResolver::new(name)),
                None => Arc::new(DefaultServerNameResolver::default()),
            };
            Inner::new(tcp, tls, false, names)
        }
    }
}

// === impl Connector ===

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    // Boxed: it is made once for each connection.
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let limit = self.limit.get();
        let authority = target.authority().map(ToString::to_string);
        let authority = authority.unwrap_or_default();
        let connecting = self.inner.call(target);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(err)) => Err(ConnectFailed::new(authority, err).into()),
                Err(_) => Err(ConnectTimeout { authority, limit }.into()),
            }
        })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("limit", &self.limit.get())
            .finish_non_exhaustive()
    }
}
