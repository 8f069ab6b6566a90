//! `https`: whom the client trusts, and under which name.
use super::{support::text, *};
use detectviz_core::{discovery::Endpoint, error::cause_ref};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::{
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};
use tokio_rustls::TlsAcceptor;

/// A file that is removed again.
struct CaFile(PathBuf);

impl CaFile {
    fn new(pem: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "detectviz-ca-{}-{}.pem",
            std::process::id(),
            NEXT.fetch_add(1, Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, pem).unwrap();
        Self(path)
    }

    fn config(&self) -> ClientConfig {
        ClientConfig::default().tls(ClientTlsConfig::default().ca_file(&self.0))
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A server whose certificate is for `orders`, and the file that vouches for it.
async fn orders(tasks: &Tasks) -> (SocketAddr, CaFile) {
    let made = rcgen::generate_simple_self_signed(["orders".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let token = tasks.token();
    tasks.spawn("test server", async move {
        let accept = async {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust us goes away here.
                let Ok(stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let service = service_fn(async |request: Request<hyper::body::Incoming>| {
                    let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
                    Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(host))))
                });
                let server = hyper::server::conn::http1::Builder::new();
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            }
        };
        token.run_until_cancelled(accept).await;
    });
    (addr, CaFile::new(&made.cert.pem()))
}

#[tokio::test]
async fn a_discovered_service_is_verified_by_its_name_and_not_by_its_address() {
    let tasks = Tasks::new();
    let (addr, ca) = orders(&tasks).await;
    let told = Arc::new(Told::new());
    told.tell("orders", vec![Endpoint::new("127.0.0.1", addr.port())]);
    let builder = ClientBuilder::new(ca.config()).with_discovery(Arc::clone(&told) as _);
    let client = builder.build(&tasks).unwrap();
    let answer = client
        .get("https://orders/".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(text(answer).await, "orders");
    tasks.cancel();
}

#[tokio::test]
async fn a_certificate_for_another_name_or_of_nobody_we_trust_is_refused() {
    let tasks = Tasks::new();
    let (addr, ca) = orders(&tasks).await;
    let stranger = rcgen::generate_simple_self_signed(["orders".to_owned()]).unwrap();
    let strangers = CaFile::new(&stranger.cert.pem());
    let told = Arc::new(Told::new());
    told.tell("orders", vec![Endpoint::new("127.0.0.1", addr.port())]);
    let by_address = format!("https://127.0.0.1:{}/", addr.port());
    for (config, uri) in [
        (ca.config(), by_address.as_str()),
        (strangers.config(), "https://orders/"),
    ] {
        let builder = ClientBuilder::new(config).with_discovery(Arc::clone(&told) as _);
        let client = builder.build(&tasks).unwrap();
        let err = client.get(uri.parse().unwrap()).await.unwrap_err();
        assert!(cause_ref::<ConnectFailed>(&*err).is_some(), "{err:?}");
        assert!(err.to_string().contains("certificate"), "{err}");
        assert_eq!(crate::error::status_of(&*err), StatusCode::BAD_GATEWAY);
    }
    tasks.cancel();
}

#[test]
fn a_file_of_authorities_that_does_not_serve_is_named() {
    let missing = ClientTlsConfig::default().ca_file("/nowhere/ca.pem");
    let missing = ClientConfig::default().tls(missing);
    let empty = CaFile::new("no certificate here\n");
    let broken = CaFile::new("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (config, expected) in [
        (missing, "`/nowhere/ca.pem` cannot be read"),
        (empty.config(), "holds no certificate"),
        (broken.config(), "holds a bad certificate (number 1"),
    ] {
        let err = ClientBuilder::new(config).build(&Tasks::new()).unwrap_err();
        assert!(err.to_string().contains(expected), "{err}");
        assert_eq!(err.kind().exit_code(), 64);
    }
}

#[tokio::test]
async fn https_without_authorities_says_which_key_to_set() {
    let err = client()
        .get("https://orders/".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(cause_ref::<NoTrustRoots>(&*err).unwrap().host, "orders");
}
