//! Reads the files that a login needs.
use super::failure::{Cause, Failure};
use crate::source::read_file;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The files of `tls`, as they are now.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    pub(super) authorities: Option<Zeroizing<Vec<u8>>>,
    pub(super) certificate: Option<Zeroizing<Vec<u8>>>,
    pub(super) key: Option<Zeroizing<Vec<u8>>>,
}

// === impl TlsFiles ===

impl TlsFiles {
    /// Reads those that are named.
    pub(super) fn read(config: &super::VaultTlsConfig) -> Result<Self, Failure> {
        let each = |key: &str, path: &Option<PathBuf>| match path {
            Some(path) => read(key, path).map(Some),
            None => Ok(None),
        };
        Ok(Self {
            authorities: each("tls.ca_file", &config.ca_file)?,
            certificate: each("tls.cert_file", &config.cert_file)?,
            key: each("tls.key_file", &config.key_file)?,
        })
    }
}

/// The file at `path`, which the configuration calls `key`.
pub(super) fn read(key: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_file(path).map_err(|err| {
        let path = path.display();
        // The kubelet swaps what is projected: it may be there a moment later.
        let cause = Cause::Store { retry_after: None };
        Failure::new(
            cause,
            format!("make `{key}` readable: {path} cannot be read ({err})"),
        )
    })
}
