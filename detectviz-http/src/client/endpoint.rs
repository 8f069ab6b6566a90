//! One place that calls are sent to.
use super::pool::EndpointPool;
use http::{Uri, uri::Authority, uri::Scheme};
use std::{fmt, sync::OnceLock};

/// One place that calls are sent to, and its connections.
pub(super) struct Endpoint {
    authority: Authority,
    /// Over http, and over https; made when first needed.
    pools: [OnceLock<EndpointPool>; 2],
}

// === impl Endpoint ===

impl Endpoint {
    pub(super) fn new(authority: Authority) -> Self {
        Self {
            authority,
            pools: [const { OnceLock::new() }; 2],
        }
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Its connections over http or, with `tls`, over https.
    pub(super) fn pool(&self, tls: bool, make: impl FnOnce(Uri) -> EndpointPool) -> &EndpointPool {
        self.pools[usize::from(tls)].get_or_init(|| {
            let scheme = if tls { Scheme::HTTPS } else { Scheme::HTTP };
            let target = Uri::builder()
                .scheme(scheme)
                .authority(self.authority.clone())
                .path_and_query("/");
            make(target.build().unwrap_or_default())
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}
