//! HTTPS: whom the store trusts, and which fault is which.
use crate::support::{Directory, build, fetch, userpass};
use detectviz_core::{secret::SecretErrorKind, task::Tasks};
use detectviz_secrets::{
    store::Store,
    vault::{VaultConfig, VaultStore, VaultTlsConfig},
};
use detectviz_tests::vault::{ClientCertificates, TlsOptions, VaultOptions, VaultServer};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};

/// An authority, and what it vouches for.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

pub(crate) struct Signed {
    pub(crate) cert: String,
    pub(crate) key: String,
}

// === impl Authority ===

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a certificate of ours");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate of ours"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name`, whose life may be over.
    pub(crate) fn sign(&self, name: &str, expired: bool) -> Signed {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a certificate of ours");
        if expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().expect("a certificate of ours");
        Signed {
            cert: params
                .signed_by(&key, &self.0)
                .expect("a certificate of ours")
                .pem(),
            key: key.serialize_pem(),
        }
    }
}

fn server(signed: &Signed, clients: ClientCertificates) -> VaultServer {
    let tls = TlsOptions::new(signed.cert.clone(), signed.key.clone()).clients(clients);
    VaultServer::start(VaultOptions::default().tls(tls))
}

fn store(address: String, tls: VaultTlsConfig, tasks: &Tasks) -> VaultStore {
    build(
        VaultConfig::default()
            .addresses([address])
            .auth(userpass())
            .tls(tls),
        tasks,
    )
}

#[tokio::test]
async fn the_authority_of_the_configuration_is_trusted() {
    let (authority, dir, tasks) = (Authority::new(), Directory::new("vault-tls"), Tasks::new());
    let ca = dir.write("ca.pem", &authority.pem());
    let by_address = server(
        &authority.sign("127.0.0.1", false),
        ClientCertificates::Asked,
    );
    let tls = VaultTlsConfig::default().ca_file(&ca);
    store(by_address.address(), tls.clone(), &tasks)
        .check()
        .await
        .unwrap();

    let by_name = server(
        &authority.sign("vault.shop", false),
        ClientCertificates::Asked,
    );
    let named = tls.server_name("vault.shop");
    store(by_name.address(), named, &tasks)
        .check()
        .await
        .unwrap();
}

#[tokio::test]
async fn each_fault_of_tls_says_which_it_is() {
    let (authority, dir, tasks) = (
        Authority::new(),
        Directory::new("vault-tls-faults"),
        Tasks::new(),
    );
    let ca = dir.write("ca.pem", &authority.pem());
    let strangers = dir.write("strangers.pem", &Authority::new().pem());
    let good = authority.sign("127.0.0.1", false);
    let asked = ClientCertificates::Asked;
    let demanded = ClientCertificates::Demanded(authority.pem());
    for (server, ca, expected) in [
        (
            server(&good, asked.clone()),
            &strangers,
            "the issuer is unknown",
        ),
        (
            server(&authority.sign("vault.shop", false), asked.clone()),
            &ca,
            "the name does not match",
        ),
        (
            server(&authority.sign("127.0.0.1", true), asked),
            &ca,
            "it has expired",
        ),
        (
            server(&good, demanded),
            &ca,
            "demands a client's certificate",
        ),
    ] {
        let store = store(
            server.address(),
            VaultTlsConfig::default().ca_file(ca),
            &tasks,
        );
        let err = fetch(&store, "kv/orders").await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::Unavailable);
        assert!(err.to_string().contains(expected), "{expected}: {err}");
    }
    let plain = VaultServer::start(VaultOptions::default());
    let address = plain.address().replace("http:", "https:");
    let store = store(address, VaultTlsConfig::default().ca_file(&ca), &tasks);
    let err = store.check().await.unwrap_err().to_string();
    assert!(err.contains("does not speak TLS"), "{err}");
}

#[tokio::test]
async fn a_certificate_of_ours_is_shown_and_read_again() {
    let (authority, dir, tasks) = (Authority::new(), Directory::new("vault-mtls"), Tasks::new());
    let ca = dir.write("ca.pem", &authority.pem());
    let demanded = ClientCertificates::Demanded(authority.pem());
    let server = server(&authority.sign("127.0.0.1", false), demanded);
    let stranger = Authority::new().sign("orders", false);
    let cert = dir.write("cert.pem", &stranger.cert);
    let key = dir.write("key.pem", &stranger.key);
    let tls = VaultTlsConfig::default().ca_file(&ca).client(&cert, &key);
    let store = store(server.address(), tls, &tasks);
    let err = store.check().await.unwrap_err().to_string();
    assert!(err.contains("refuses our certificate"), "{err}");

    let ours = authority.sign("orders", false);
    dir.write("cert.pem", &ours.cert);
    dir.write("key.pem", &ours.key);
    // Nobody has logged in again: a call that no node took is reason enough to read the files.
    store.check().await.unwrap();
}

#[tokio::test]
async fn files_that_do_not_serve_are_named() {
    let (authority, dir, tasks) = (
        Authority::new(),
        Directory::new("vault-tls-files"),
        Tasks::new(),
    );
    let ca = dir.write("ca.pem", &authority.pem());
    let empty = dir.write("empty.pem", "no certificate\n");
    let signed = authority.sign("orders", false);
    let (cert, key) = (
        dir.write("cert.pem", &signed.cert),
        dir.write("key.pem", &authority.sign("x", false).key),
    );
    let tls = VaultTlsConfig::default;
    for (tls, expected) in [
        (tls().ca_file("/nowhere/ca.pem"), "/nowhere/ca.pem"),
        (
            tls().ca_file(&empty),
            "`tls.ca_file`: it holds no certificate",
        ),
        (
            tls().ca_file(&ca).client(&cert, &empty),
            "`tls.key_file`: it holds no private key",
        ),
        (tls().ca_file(&ca).client(&cert, &key), "does not fit"),
    ] {
        let store = store("https://127.0.0.1:1".to_owned(), tls, &tasks);
        let err = fetch(&store, "kv/orders").await.unwrap_err().to_string();
        assert!(err.contains(expected), "{expected}: {err}");
    }
}
