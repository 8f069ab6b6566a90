//! Reads token files, keys and certificate authorities.
use super::{Failure, WireError};
use rustls::{RootCertStore, pki_types::CertificateDer};
use rustls_pki_types::pem::PemObject;
use std::{fs::File, io, io::Read, path::Path};
use zeroize::Zeroizing;

/// No token, key or list of authorities is larger; the one of Mozilla has about 220 KiB.
const MAX_SIZE: u64 = 1 << 20;

/// What stands in the file at `path`, which `key` of the configuration names: read anew each time, because Kubernetes
/// replaces a projected token before it ends.
///
/// # Errors
/// `Unavailable` where the file cannot be read, since it may be mounted yet, or is empty.
pub(crate) fn read_file(key: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let shown = path.display();
    let bytes = read(path).map_err(|err| {
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
    let pem = read(path).map_err(|err| wrong(err.to_string()))?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
    // As rustls advises for lists of a system: one odd certificate does not make the others useless.
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    // A buffer that grows leaves pieces of the secret behind, so it starts at its size.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.saturating_add(1).min(1 << 20)));
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        let large = format!("it is larger than {MAX_SIZE} bytes");
        return Err(io::Error::other(large));
    }
    Ok(bytes)
}
