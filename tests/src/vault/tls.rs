//! HTTPS; follows <https://developer.hashicorp.com/vault/docs/configuration/listener/tcp#tcp-listener-parameters>.
use super::options::{ClientCertificates, TlsOptions};
use detectviz_core::error::BoxError;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Takes any certificate of a client, and none: only that it holds the key is checked.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

pub(super) fn acceptor(options: &TlsOptions) -> Result<TlsAcceptor, BoxError> {
    let provider = Arc::new(ring::default_provider());
    let chain = chain(&options.cert)?;
    let key = PrivateKeyDer::from_pem_slice(options.key.as_bytes())?;
    let verifier: Arc<dyn ClientCertVerifier> = match &options.clients {
        ClientCertificates::Asked => Arc::new(Anyone(Arc::clone(&provider))),
        ClientCertificates::Demanded(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(self::chain(authority)?);
            let builder =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            builder.build()?
        }
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes());
    Ok(all.collect::<Result<_, _>>()?)
}

// === impl Anyone ===

impl ClientCertVerifier for Anyone {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
