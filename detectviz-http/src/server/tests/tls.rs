//! TLS: ALPN, client certificates, files that change.
use super::*;
use detectviz_core::error::ErrorKind;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use std::path::{Path, PathBuf};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A directory that goes with the test.
struct Dir(PathBuf);

/// An authority and what it signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Dir {
    fn new(name: &str) -> Self {
        let unique = format!("detectviz-tls-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(unique);
        let _old = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key in PEM.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.0).unwrap();
        (cert.pem(), key.serialize_pem())
    }
}

fn secure(dir: &Dir, authority: &Authority) -> ServerConfig {
    let (cert, key) = authority.sign("localhost");
    let mut config = config();
    config.tls.enabled = true;
    config.tls.cert = dir.write("tls.crt", &cert);
    config.tls.key = dir.write("tls.key", &key);
    config.tls.reload = Duration::from_millis(20);
    config
}

async fn connect(
    server: &Fixture,
    authority: &Authority,
    identity: Option<(String, String)>,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        Some((cert, key)) => {
            let cert = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![cert], key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|offer| offer.to_vec()).collect();
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

async fn ask(mut stream: TlsStream<TcpStream>) -> String {
    let request = b"GET /conn HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    if stream.write_all(request).await.is_err() {
        return String::new();
    }
    let mut said = String::new();
    let _end = within(stream.read_to_string(&mut said)).await;
    said
}

fn presented(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

#[tokio::test]
async fn alpn_chooses_the_protocol() {
    let (dir, authority) = (Dir::new("alpn"), Authority::new());
    let server = fixture(secure(&dir, &authority));
    for alpn in [&[][..], &[&b"http/1.1"[..]]] {
        let said = ask(connect(&server, &authority, None, alpn).await.unwrap()).await;
        assert!(said.contains("version: HTTP/1.1, tls: true"), "{said}");
    }
    let stream = connect(&server, &authority, None, &[b"h2", b"http/1.1"])
        .await
        .unwrap();
    let (mut sender, conn) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    server.tasks.spawn("client", async move {
        let _end = conn.await;
    });
    let request = Request::get("https://localhost/conn")
        .body(Full::<Bytes>::default())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let said = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        String::from_utf8_lossy(&said).contains("version: HTTP/2.0, tls: true"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_changed_certificate_is_used_and_a_broken_one_is_not() {
    let (dir, authority) = (Dir::new("reload"), Authority::new());
    let server = fixture(secure(&dir, &authority));
    let first = presented(&connect(&server, &authority, None, &[]).await.unwrap());
    let (cert, key) = authority.sign("localhost");
    dir.write("tls.crt", &cert);
    dir.write("tls.key", &key);
    let second = within(async {
        loop {
            let now = presented(&connect(&server, &authority, None, &[]).await.unwrap());
            if now != first {
                return now;
            }
        }
    })
    .await;
    for (name, broken) in [
        ("tls.key", authority.sign("localhost").1),
        ("tls.crt", "nonsense".into()),
    ] {
        dir.write(name, &broken);
        let acceptor = server.shared.tls.get().unwrap();
        let _seen_by_the_watch_already = acceptor.reload();
        let now = presented(&connect(&server, &authority, None, &[]).await.unwrap());
        assert_eq!(now, second, "{name}");
    }
    std::fs::remove_file(dir.0.join("tls.crt")).unwrap();
    let now = presented(&connect(&server, &authority, None, &[]).await.unwrap());
    assert_eq!(now, second);
}

#[tokio::test]
async fn clients_without_a_certificate_of_the_authority_are_refused() {
    let (dir, authority) = (Dir::new("mtls"), Authority::new());
    let mut config = secure(&dir, &authority);
    config.tls.client_ca = Some(dir.write("ca.crt", &authority.pem()));
    let server = fixture(config);
    let known = connect(&server, &authority, Some(authority.sign("client")), &[]).await;
    assert!(ask(known.unwrap()).await.starts_with("HTTP/1.1 200 "));
    for identity in [None, Some(Authority::new().sign("client"))] {
        // With TLS 1.3 the client learns of it with the first read.
        if let Ok(stream) = connect(&server, &authority, identity, &[]).await {
            assert_eq!(ask(stream).await, "");
        }
    }
    server.closed(Closed::Handshake, 2).await;
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_closed_in_time() {
    let (dir, authority) = (Dir::new("slow"), Authority::new());
    let mut config = secure(&dir, &authority);
    config.tls.handshake_timeout = Duration::from_millis(50);
    let server = fixture(config);
    assert_eq!(server.ask("\x16\x03\x01").await, "");
    let _refused = server.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.closed(Closed::Handshake, 2).await;
}

#[tokio::test]
async fn a_handshake_in_progress_does_not_hold_up_the_drain() {
    let (dir, authority) = (Dir::new("drain"), Authority::new());
    let server = fixture(ServerConfig {
        linger: Duration::from_millis(50),
        ..secure(&dir, &authority)
    });
    let mut raw = server.connect().await;
    raw.send("\x16\x03").await;
    server.open(1).await;
    within(server.serving.drain()).await;
    assert_eq!(raw.rest().await, "");
}

#[test]
fn files_that_do_not_serve_are_named_before_anything_is_bound() {
    let (dir, authority) = (Dir::new("bad"), Authority::new());
    let good = secure(&dir, &authority);
    let check = |change: &dyn Fn(&mut ServerConfig), parts: &[&str]| {
        let mut config = good.clone();
        change(&mut config);
        let deps = ServerDeps::new(Tasks::new(), PhaseControl::new().watch(), Registry::new());
        let service = tower::service_fn(|_| async { Ok::<_, BoxError>(text(StatusCode::OK, "")) });
        let err = Server::new(config, "http", deps, service)
            .bind()
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Config);
        for part in parts {
            assert!(err.to_string().contains(part), "{err}");
        }
    };
    let path = |path: &Path| path.to_owned();
    check(
        &|config| config.tls.cert = path(Path::new("/nowhere.crt")),
        &["/nowhere.crt", "http.tls.cert"],
    );
    check(
        &|config| config.tls.key = config.tls.cert.clone(),
        &["http.tls", "private key"],
    );
    let other = dir.write("other.key", &authority.sign("localhost").1);
    check(
        &|config| config.tls.key = other.clone(),
        &["http.tls", "belong together"],
    );
    check(
        &|config| config.tls.client_ca = Some(other.clone()),
        &["client_ca"],
    );
}
