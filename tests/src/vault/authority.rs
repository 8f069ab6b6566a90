//! Certificates for tests of TLS.
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fmt;

/// A certificate authority that is made for one test; two of them do not know each other.
///
/// ```
/// use detectviz_tests::vault::{Authority, TlsOptions};
///
/// let authority = Authority::new();
/// let (cert, key) = authority.sign("vault");
/// let options = TlsOptions::new(cert, key);
/// assert!(authority.pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # drop(options);
/// ```
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

// === impl Authority ===

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// Without randomness from the system.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("the system has randomness");
        let issuer = CertifiedIssuer::self_signed(params, key);
        Self(issuer.expect("the parameters are well-formed"))
    }

    /// Its own certificate in PEM: what clients trust.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key in PEM, for clients and for servers at 127.0.0.1 and `localhost`, with `name` as common name.
    ///
    /// # Panics
    /// Without randomness from the system.
    #[must_use]
    pub fn sign(&self, name: &str) -> (String, String) {
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let params = CertificateParams::new(names);
        let mut params = params.expect("the names are well-formed");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("the system has randomness");
        let signed = params.signed_by(&key, &self.0);
        let signed = signed.expect("the parameters are well-formed");
        (signed.pem(), key.serialize_pem())
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}
