//! The transport: hyper, with TLS by rustls, everything given explicitly.
use super::{
    access::{Access, Identity},
    error::Failure,
    executor::Executor,
};
use bytes::Bytes;
use detectviz_core::task::Tasks;
use http_body_util::Full;
use hyper_rustls::{
    DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector, ResolveServerName,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioTimer,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::CertificateDer;
use std::{sync::Arc, time::Duration};

/// client-go looks after a silent HTTP/2 connection this often (`HTTP2_READ_IDLE_TIMEOUT_SECONDS`) …
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// … and gives it up after this long (`HTTP2_PING_TIMEOUT_SECONDS`).
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// What requests are sent with.
pub(super) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client for `access`, which connects when it is first used; its connections run on `tasks`.
pub(super) fn client(
    access: &mut Access,
    connect_timeout: Duration,
    tasks: &Tasks,
) -> Result<HttpClient, Failure> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    let names: Arc<dyn ResolveServerName + Send + Sync> = match access.server_name.take() {
        None => Arc::new(DefaultServerNameResolver::default()),
        Some(name) => Arc::new(FixedServerNameResolver::new(name)),
    };
    let authorities = std::mem::take(&mut access.authorities);
    let force_https = !authorities.is_empty();
    let tls = tls(authorities, access.identity.take())?;
    let connector = HttpsConnector::new(tcp, tls, force_https, names);
    Ok(Client::builder(Executor::new(tasks))
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .build(connector))
}

fn tls(
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
) -> Result<ClientConfig, Failure> {
    let unusable =
        |what: &'static str| move |_| Failure::setup(what, "correct it where it is mounted");
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots
            .add(authority)
            .map_err(unusable("a certificate authority cannot be read"))?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable("TLS cannot be set up"))?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(Identity { chain, key }) => builder
            .with_client_auth_cert(chain, key)
            .map_err(unusable("the client certificate does not fit its key"))?,
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
