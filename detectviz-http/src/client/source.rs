//! Reads the certificate authorities from their file.
use detectviz_core::error::{Error, ErrorKind};
use rustls::{RootCertStore, pki_types::CertificateDer};
use rustls_pki_types::pem::PemObject;
use std::path::Path;

/// The authorities in the PEM file at `path`.
///
/// # Errors
/// `Config` when the file cannot be read, is no PEM, or holds no certificate.
pub(super) fn trust_roots(path: &Path) -> Result<RootCertStore, Error> {
    let wrong = |what: String| {
        let path = path.display();
        Error::new(
            ErrorKind::Config,
            format!(
                "client.tls.ca_file `{path}` {what}: name a PEM file of certificate authorities"
            ),
        )
    };
    #[expect(clippy::disallowed_methods, reason = "a module named `source`")]
    let pem = std::fs::read(path).map_err(|e| wrong("cannot be read".to_owned()).with_source(e))?;
    let mut roots = RootCertStore::empty();
    for (at, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
        certificate
            .map_err(|e| e.to_string())
            .and_then(|der| roots.add(der).map_err(|e| e.to_string()))
            .map_err(|e| wrong(format!("holds a bad certificate (number {}, {e})", at + 1)))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate".to_owned()));
    }
    Ok(roots)
}
