//! The client of one node: TLS by rustls with ring, everything given explicitly, nothing taken from the environment.
use crate::vault::{
    address::Address,
    failure::{Cause, Failure},
    source::TlsFiles,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{sync::Arc, time::Duration};

/// The longest that name, TCP and TLS may take, so that a node which is gone leaves time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Resolves every name as one host: the name that a URL holds is the one in the node's certificate.
struct Fixed(Arc<str>);

// === impl Fixed ===

impl Resolve for Fixed {
    fn resolve(&self, _: Name) -> Resolving {
        let host = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((&*host, 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// A client for the node at `address`, whose certificate names `name` if that is given.
pub(super) fn client(
    address: &Address,
    name: Option<&str>,
    tls: &ClientConfig,
    timeout: Duration,
) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .https_only(address.is_tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // What other crates enable in reqwest changes nothing here.
        .http1_only()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .no_hickory_dns()
        .connect_timeout(timeout.min(CONNECT_TIMEOUT))
        .timeout(timeout)
        .user_agent(concat!("detectviz/", env!("CARGO_PKG_VERSION")));
    if name.is_some() && address.is_tls {
        let host = address.host.trim_start_matches('[').trim_end_matches(']');
        builder = builder.dns_resolver(Arc::new(Fixed(host.into())));
    }
    builder.build().map_err(|err| {
        Failure::new(
            Cause::Refused,
            format!("correct `tls`: no client can be made of it ({err})"),
        )
    })
}

/// Whom to trust and who we are, as `files` say.
pub(super) fn config(files: &TlsFiles) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = &files.authorities {
        for certificate in certificates("tls.ca_file", pem)? {
            roots
                .add(certificate)
                .map_err(|err| wrong("tls.ca_file", &format!("holds a bad certificate ({err})")))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|err| wrong("tls", &err.to_string()))?
        .with_root_certificates(roots);
    let (Some(chain), Some(key)) = (&files.certificate, &files.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| wrong("tls.key_file", "holds no private key in PEM"))?;
    builder
        .with_client_auth_cert(certificates("tls.cert_file", chain)?, key)
        .map_err(|err| {
            wrong(
                "tls.key_file",
                &format!("does not fit `tls.cert_file` ({err})"),
            )
        })
}

fn certificates(key: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(wrong(key, "holds no certificate")),
        Err(err) => Err(wrong(key, &format!("is no PEM ({err})"))),
    }
}

fn wrong(key: &str, what: &str) -> Failure {
    Failure::new(
        Cause::Refused,
        format!("correct the file of `{key}`: it {what}"),
    )
}
