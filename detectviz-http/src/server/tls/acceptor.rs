//! Shakes hands with whatever certificate is the last good one.
use super::{TlsConfig, source::Files};
use arc_swap::ArcSwap;
use detectviz_core::{
    error::{BoxError, Error, ErrorKind},
    task::Tasks,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    server::WebPkiClientVerifier,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// The TLS side of one server.
pub(in crate::server) struct Acceptor {
    config: TlsConfig,
    name: Arc<str>,
    http2: bool,
    current: ArcSwap<ServerConfig>,
    /// What was read last, good or bad: the same is not tried twice.
    files: Mutex<Option<Files>>,
}

// === impl Acceptor ===

impl Acceptor {
    /// Reads the files. `name` is the component's, `http2` whether to offer it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], with the key, the path and the reason.
    pub(in crate::server) fn load(
        config: &TlsConfig,
        name: &Arc<str>,
        http2: bool,
    ) -> Result<Self, Error> {
        let files = read(config, name)?;
        let current = server_config(&files, http2).map_err(|err| unusable(config, name, err))?;
        Ok(Self {
            config: config.clone(),
            name: Arc::clone(name),
            http2,
            current: ArcSwap::from_pointee(current),
            files: Mutex::new(Some(files)),
        })
    }

    /// Looks at the files again. `Ok(false)`: nothing has changed.
    ///
    /// # Errors
    /// As [`load`](Self::load); what was good before stays.
    pub(in crate::server) fn reload(&self) -> Result<bool, Error> {
        let mut last = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let files = match read(&self.config, &self.name) {
            Ok(files) => files,
            Err(err) => {
                return if last.take().is_some() {
                    Err(err)
                } else {
                    Ok(false)
                };
            }
        };
        if last.as_ref() == Some(&files) {
            return Ok(false);
        }
        let next = server_config(&files, self.http2);
        *last = Some(files);
        let next = next.map_err(|err| unusable(&self.config, &self.name, err))?;
        self.current.store(Arc::new(next));
        Ok(true)
    }

    /// The handshake, and what ALPN chose.
    pub(in crate::server) async fn accept(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<(Box<TlsStream<TcpStream>>, http::Version)> {
        let acceptor = TlsAcceptor::from(self.current.load_full());
        let stream = acceptor.accept(stream).await?;
        let version = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => http::Version::HTTP_2,
            _ => http::Version::HTTP_11,
        };
        Ok((Box::new(stream), version))
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Reloads `acceptor` until `tasks` are cancelled; `reloaded` is told of every change that was used or not.
pub(in crate::server) async fn watch(
    acceptor: Arc<Acceptor>,
    tasks: Tasks,
    reloaded: impl Fn(bool) + Send,
) {
    let cancelled = tasks.token();
    loop {
        tokio::select! {
            () = tokio::time::sleep(acceptor.config.reload) => {}
            () = cancelled.cancelled() => return,
        }
        let acceptor = Arc::clone(&acceptor);
        let name = Arc::clone(&acceptor.name);
        let reload = tasks.spawn_blocking("tls-reload", move || acceptor.reload());
        match reload.await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => {
                tracing::info!(component = %name, "the TLS files changed and are used");
                reloaded(true);
            }
            Ok(Err(err)) => {
                tracing::error!(component = %name, error = %err, "the TLS files changed and cannot be used; the last good ones stay");
                reloaded(false);
            }
            Err(_) => return,
        }
    }
}

fn read(config: &TlsConfig, name: &str) -> Result<Files, Error> {
    Files::read(config).map_err(|(key, path, err)| {
        let message = format!(
            "cannot read {} (`{name}.tls.{key}`): {err}; give the path of a PEM file that this process may read",
            path.display()
        );
        Error::new(ErrorKind::Config, message).with_source(err)
    })
}

fn unusable(config: &TlsConfig, name: &str, err: BoxError) -> Error {
    let message = format!(
        "the TLS files of `{name}.tls` cannot be used: {err}; `cert` ({}) and `key` ({}) must be PEM and belong together",
        config.cert.display(),
        config.key.display()
    );
    Error::new(ErrorKind::Config, message).with_source(err)
}

/// With the provider given: never the one of the process, which others may have set.
fn server_config(files: &Files, http2: bool) -> Result<ServerConfig, BoxError> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let certs = certificates(&files.cert, "cert")?;
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|err| format!("no private key in `key`: {err}"))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match &files.client_ca {
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for cert in certificates(pem, "client_ca")? {
                roots.add(cert)?;
            }
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(certs, key)?;
    let offers: &[&[u8]] = if http2 {
        &[b"h2", b"http/1.1"]
    } else {
        &[b"http/1.1"]
    };
    config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
    Ok(config)
}

fn certificates(pem: &[u8], key: &str) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let certs = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certs = certs.map_err(|err| format!("`{key}` is no PEM: {err}"))?;
    if certs.is_empty() {
        return Err(format!("no certificate in `{key}`").into());
    }
    Ok(certs)
}
