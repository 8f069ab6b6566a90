//! kube's own client, by which tests change what the provider reads; independent of the provider's transport.
use bytes::Bytes;
use detectviz_core::error::BoxError;
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use k8s_openapi::ByteString;
use kube::{
    Client, Config,
    client::{Body, ConfigExt},
    config::{KubeConfigOptions, Kubeconfig},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::sync::Arc;
use tower::ServiceBuilder;

/// A client for the current context of `text`. Its own TLS would take the process-wide provider.
pub(super) async fn client(text: &str) -> Result<Client, BoxError> {
    let kubeconfig = Kubeconfig::from_yaml(text)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    let mut roots = RootCertStore::empty();
    for der in config.root_cert.iter().flatten() {
        roots.add(CertificateDer::from(der.clone()))?;
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let user = &config.auth_info;
    let tls = match (&user.client_certificate_data, &user.client_key_data) {
        (Some(certificate), Some(key)) => {
            let pem = decoded(certificate)?;
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            let key = decoded(secrecy::ExposeSecret::expose_secret(key))?;
            tls.with_client_auth_cert(chain?, PrivateKeyDer::from_pem_slice(&key)?)?
        }
        _ => tls.with_no_client_auth(),
    };
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let connector = hyper_rustls::HttpsConnector::from((tcp, tls));
    let http: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}

fn decoded(base64: &str) -> Result<Bytes, BoxError> {
    let bytes: ByteString = serde_json::from_value(base64.into())?;
    Ok(bytes.0.into())
}
