//! The facts about one connection.
use http::Version;
use std::net::SocketAddr;

/// What is known of the connection that a request came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnInfo {
    /// Address and port of the other end; `None` where there is no network in between.
    pub peer: Option<SocketAddr>,
    /// [`Version::HTTP_11`] for every HTTP/1 connection, whatever its requests say, or [`Version::HTTP_2`].
    pub version: Version,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Whether it was accepted beyond `max_connections`, from the reserve that serves probes only.
    pub reserved: bool,
}

// === impl ConnInfo ===

impl ConnInfo {
    /// A plain connection from nowhere, for tests.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            peer: None,
            version,
            tls: false,
            reserved: false,
        }
    }

    /// Whether requests on it are multiplexed and connection headers have no meaning.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        self.version == Version::HTTP_2
    }
}
