//! Reads token files, keys and certificate authorities.
use super::{Failure, WireError};
use crate::source;
use rustls::{RootCertStore, pki_types::CertificateDer};
use rustls_pki_types::pem::PemObject;
use std::path::Path;
use zeroize::Zeroizing;

/// What stands in the file at `path`, which `key` of the configuration names: read anew each time, because Kubernetes
/// replaces a projected token before it ends.
///
/// # Errors
/// `Unavailable` where the file cannot be read, since it may be mounted yet, or is empty.
pub(crate) fn read_file(key: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let shown = path.display();
    let bytes = source::read_file(path).map_err(|err| {
        let remedy = format!("make `{shown}` readable, or correct `{key}`");
        Failure::unavailable(remedy).with_source(err)
    })?;
    if bytes.trim_ascii().is_empty() {
        let remedy = format!("write something to `{shown}` (`{key}`): it is empty");
        return Err(Failure::unavailable(remedy));
    }
    Ok(bytes)
}

/// The authorities in the PEM file at `path`.
pub(super) fn trust_roots(path: &Path) -> Result<RootCertStore, WireError> {
    let wrong = |why: String| WireError::Roots {
        path: path.to_owned(),
        why,
    };
    let pem = source::read_file(path).map_err(|err| wrong(err.to_string()))?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
    // As rustls advises for lists of a system: one odd certificate does not make the others useless.
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    Ok(roots)
}
