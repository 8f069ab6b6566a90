//! One host that requests are sent to, and what is remembered of it.
use super::{
    call::port,
    connect::Pool,
    recorder::{Recorder, Series},
};
use arc_swap::ArcSwap;
use detectviz_core::{
    balance::{NoEndpoints, RoundRobin},
    discovery::{EndpointSet, EndpointWatch},
};
use http::{HeaderValue, Uri, uri::Authority};
use std::{
    fmt, ptr,
    sync::{Arc, OnceLock},
    time::Instant,
};

/// One host, as it is written in URIs: with the port when there is one.
pub(super) struct Upstream {
    authority: String,
    host_header: Option<HeaderValue>,
    route: Route,
    /// Over http, and over https: their ports differ.
    series: [OnceLock<Series>; 2],
}

/// How requests reach a host.
pub(super) enum Route {
    /// As it is written, through DNS; until that moment, when discovery is to be asked again.
    Direct(Option<Instant>),
    /// Through one of the endpoints of a service.
    Discovered(Box<Discovered>),
}

/// A service that discovery knows.
pub(super) struct Discovered {
    watch: EndpointWatch,
    turns: RoundRobin,
    prepared: ArcSwap<Prepared>,
    /// Connections on which the certificate must be the service's, whatever the endpoint is called.
    secured: OnceLock<Pool>,
}

/// A set of endpoints, and their authorities in the same order; made once for each set.
struct Prepared {
    from: Arc<EndpointSet>,
    set: EndpointSet,
    authorities: Vec<Authority>,
}

// === impl Upstream ===

impl Upstream {
    /// `authority` is the host in lower case, with the port when there is one.
    pub(super) fn new(authority: String, route: Route) -> Self {
        Self {
            host_header: HeaderValue::from_str(&authority).ok(),
            authority,
            route,
            series: Default::default(),
        }
    }

    /// The host without its port.
    pub(super) fn host(&self) -> &str {
        host_of(&self.authority)
    }

    /// What a request says in `Host`.
    pub(super) fn host_header(&self) -> Option<HeaderValue> {
        self.host_header.clone()
    }

    /// The metric handles for calls of `target`, which is at this host.
    pub(super) fn series(&self, target: &Uri, recorder: &Recorder) -> &Series {
        let tls = target.scheme_str() == Some("https");
        let series = &self.series[usize::from(tls)];
        series.get_or_init(|| recorder.series(self.host(), port(target)))
    }

    /// Whether what is known of the host still holds at `now`.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        !matches!(self.route, Route::Direct(Some(until)) if until <= now)
    }

    /// Whether the host may be forgotten without losing a watch.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.route, Route::Direct(_))
    }

    /// The endpoint for the next call: `uri` with its authority, or `uri` itself when the host is not discovered.
    ///
    /// # Errors
    /// [`NoEndpoints`] when no endpoint may be given a call.
    pub(super) fn aim(&self, uri: Uri) -> Result<Uri, NoEndpoints> {
        let Route::Discovered(found) = &self.route else {
            return Ok(uri);
        };
        let authority = found.pick().map_err(|known| NoEndpoints {
            service: self.authority.clone(),
            known,
        })?;
        let mut parts = uri.into_parts();
        parts.authority = Some(authority);
        Ok(Uri::from_parts(parts).unwrap_or_default())
    }

    /// The pool for `https`, or `None` where the common one verifies the right name.
    pub(super) fn secured(&self, pool: impl FnOnce(&str) -> Pool) -> Option<&Pool> {
        match &self.route {
            Route::Discovered(found) => Some(found.secured.get_or_init(|| pool(self.host()))),
            Route::Direct(_) => None,
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("authority", &self.authority)
            .field("direct", &self.is_direct())
            .finish_non_exhaustive()
    }
}

// === impl Discovered ===

impl Discovered {
    pub(super) fn new(watch: EndpointWatch) -> Self {
        let prepared = Prepared::new(watch.latest());
        Self {
            watch,
            turns: RoundRobin::new(),
            prepared: ArcSwap::from_pointee(prepared),
            secured: OnceLock::new(),
        }
    }

    /// The authority whose turn it is, or how many endpoints are known when none is usable.
    fn pick(&self) -> Result<Authority, usize> {
        let latest = self.watch.latest();
        let mut prepared = self.prepared.load();
        if !Arc::ptr_eq(&prepared.from, &latest) {
            // Two calls may prepare the same set at once; it comes out the same.
            self.prepared.store(Arc::new(Prepared::new(latest)));
            prepared = self.prepared.load();
        }
        let known = prepared.from.endpoints().len();
        let endpoint = self.turns.pick(&prepared.set).ok_or(known)?;
        let endpoints = prepared.set.endpoints().iter();
        endpoints
            .zip(&prepared.authorities)
            .find(|(e, _)| ptr::eq(*e, endpoint))
            .map(|(_, authority)| authority.clone())
            .ok_or(known)
    }
}

// === impl Prepared ===

impl Prepared {
    /// Endpoints whose host is no host are left out.
    fn new(from: Arc<EndpointSet>) -> Self {
        let endpoints = from.endpoints().iter();
        let (endpoints, authorities) = endpoints
            .filter_map(|e| Some((e.clone(), e.authority().parse().ok()?)))
            .unzip();
        Self {
            set: EndpointSet::new(from.service(), endpoints),
            from,
            authorities,
        }
    }
}

/// `authority` without its port.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}
