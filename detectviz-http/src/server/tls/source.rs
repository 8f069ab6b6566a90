//! Reads the files of a certificate.
use super::TlsConfig;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What the files held, all at the same time.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) cert: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) client_ca: Option<Vec<u8>>,
}

/// How often to try again when a volume is swapped while it is read.
const ATTEMPTS: usize = 5;

// === impl Files ===

impl Files {
    /// Reads the files of one version of a mounted volume: Kubernetes swaps them by renaming the link `..data`, and a
    /// certificate must not be paired with the key of another.
    ///
    /// # Errors
    /// The key of the file that cannot be read, its path, and why.
    pub(super) fn read(config: &TlsConfig) -> Result<Self, (&'static str, PathBuf, io::Error)> {
        let mut before = Self::places(config)?;
        for _ in 0..ATTEMPTS {
            let read = Self::read_once(config);
            let after = Self::places(config)?;
            if before == after {
                return read;
            }
            before = after;
        }
        Self::read_once(config)
    }

    fn read_once(config: &TlsConfig) -> Result<Self, (&'static str, PathBuf, io::Error)> {
        let client_ca = config.client_ca.as_deref();
        Ok(Self {
            cert: read("cert", &config.cert)?,
            key: read("key", &config.key)?,
            client_ca: client_ca.map(|path| read("client_ca", path)).transpose()?,
        })
    }

    /// Where the files really are.
    fn places(config: &TlsConfig) -> Result<Vec<PathBuf>, (&'static str, PathBuf, io::Error)> {
        let files = [("cert", Some(&config.cert)), ("key", Some(&config.key))];
        let files = files
            .into_iter()
            .chain([("client_ca", config.client_ca.as_ref())]);
        files
            .filter_map(|(key, path)| path.map(|path| (key, path)))
            .map(|(key, path)| fs::canonicalize(path).map_err(|err| (key, path.clone(), err)))
            .collect()
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, (&'static str, PathBuf, io::Error)> {
    #[expect(clippy::disallowed_methods, reason = "the module that reads files")]
    let bytes = fs::read(path);
    bytes.map_err(|err| (key, path.to_owned(), err))
}
