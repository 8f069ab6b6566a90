//! Why a call failed before it was sent.
use detectviz_core::discovery::DiscoveryError;
use std::{error::Error, fmt, sync::Arc};

/// Discovery could not say where a service is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LookupFailed {
    /// The service.
    pub service: String,
    source: Arc<DiscoveryError>,
}

/// `https` was asked for, and there is nobody to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoTrustRoots {
    /// Who was to be called.
    pub host: String,
}

/// The URI of a request does not say whom to call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTarget {
    /// What is wrong with it.
    pub problem: &'static str,
}

// === impl LookupFailed ===

impl LookupFailed {
    pub(super) fn new(service: &str, source: Arc<DiscoveryError>) -> Self {
        Self {
            service: service.to_owned(),
            source,
        }
    }
}

impl fmt::Display for LookupFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)
    }
}

impl Error for LookupFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

// === impl NoTrustRoots ===

impl fmt::Display for NoTrustRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`https://{}` cannot be verified: set client.tls.ca_file to a PEM file of certificate authorities, such as \
             /etc/ssl/certs/ca-certificates.crt",
            self.host
        )?;
        if cfg!(not(feature = "tls")) {
            f.write_str(", and build detectviz-http with its feature `tls`")?;
        }
        Ok(())
    }
}

impl Error for NoTrustRoots {}

// === impl InvalidTarget ===

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.problem;
        write!(
            f,
            "the request's URI {problem}: write it as http://orders/path"
        )
    }
}

impl Error for InvalidTarget {}
