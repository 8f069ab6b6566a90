//! One host that requests are sent to, and what is remembered of it.
use super::{
    call::port,
    endpoint::Endpoint,
    recorder::{Recorder, Series},
};
use arc_swap::ArcSwap;
use detectviz_core::{
    balance::{NoEndpoints, RoundRobin},
    discovery::{EndpointSet, EndpointWatch},
};
use http::{HeaderValue, Uri};
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
    /// As it is written, through DNS.
    Direct(Direct),
    /// Through one of the endpoints of a service.
    Discovered(Box<Discovered>),
}

/// A host that is not asked for.
pub(super) struct Direct {
    /// When discovery is to be asked again.
    until: Option<Instant>,
    /// `None` when it is no host.
    endpoint: Option<Arc<Endpoint>>,
}

/// A service that discovery knows.
pub(super) struct Discovered {
    watch: EndpointWatch,
    turns: RoundRobin,
    prepared: ArcSwap<Prepared>,
}

/// A set of endpoints, and what is kept of each in the same order; made once for each set.
struct Prepared {
    from: Arc<EndpointSet>,
    set: EndpointSet,
    endpoints: Vec<Arc<Endpoint>>,
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
        !matches!(self.route, Route::Direct(Direct { until: Some(until), .. }) if until <= now)
    }

    /// Whether the host may be forgotten without losing a watch.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.route, Route::Direct(_))
    }

    /// The endpoint for the next call.
    ///
    /// # Errors
    /// [`NoEndpoints`] when no endpoint may be given a call.
    pub(super) fn pick(&self) -> Result<Arc<Endpoint>, NoEndpoints> {
        let picked = match &self.route {
            Route::Direct(direct) => direct.endpoint.clone().ok_or(0),
            Route::Discovered(found) => found.pick(),
        };
        picked.map_err(|known| NoEndpoints {
            service: self.authority.clone(),
            known,
        })
    }

    /// Whose certificate the endpoints must have, when they are not called by that name.
    pub(super) fn server_name(&self) -> Option<&str> {
        (!self.is_direct()).then(|| self.host())
    }

    /// Everything that connections go to.
    pub(super) fn each_endpoint(&self, mut visit: impl FnMut(&Endpoint)) {
        match &self.route {
            Route::Direct(direct) => direct.endpoint.iter().for_each(|e| visit(e)),
            Route::Discovered(found) => {
                found
                    .prepared
                    .load()
                    .endpoints
                    .iter()
                    .for_each(|e| visit(e));
            }
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

// === impl Direct ===

impl Direct {
    /// The host `authority`, until discovery is to be asked again.
    pub(super) fn new(authority: &str, until: Option<Instant>) -> Self {
        let endpoint = authority.parse().ok();
        Self {
            until,
            endpoint: endpoint.map(|authority| Arc::new(Endpoint::new(authority))),
        }
    }
}

// === impl Discovered ===

impl Discovered {
    pub(super) fn new(watch: EndpointWatch) -> Self {
        let prepared = Prepared::new(watch.latest(), &[]);
        Self {
            watch,
            turns: RoundRobin::new(),
            prepared: ArcSwap::from_pointee(prepared),
        }
    }

    /// The endpoint whose turn it is, or how many are known when none is usable.
    fn pick(&self) -> Result<Arc<Endpoint>, usize> {
        let latest = self.watch.latest();
        let mut prepared = self.prepared.load();
        if !Arc::ptr_eq(&prepared.from, &latest) {
            let next = Prepared::new(latest, &prepared.endpoints);
            self.prepared.store(Arc::new(next));
            prepared = self.prepared.load();
        }
        let known = prepared.from.endpoints().len();
        let endpoint = self.turns.pick(&prepared.set).ok_or(known)?;
        let endpoints = prepared.set.endpoints().iter();
        endpoints
            .zip(&prepared.endpoints)
            .find(|(e, _)| ptr::eq(*e, endpoint))
            .map(|(_, endpoint)| endpoint.clone())
            .ok_or(known)
    }
}

// === impl Prepared ===

impl Prepared {
    /// Endpoints whose host is no host are left out; those that stay keep their connections.
    fn new(from: Arc<EndpointSet>, before: &[Arc<Endpoint>]) -> Self {
        let endpoints = from.endpoints().iter();
        let (set, endpoints) = endpoints
            .filter_map(|e| {
                let authority = e.authority().parse().ok()?;
                let kept = before.iter().find(|kept| *kept.authority() == authority);
                let new = || Arc::new(Endpoint::new(authority));
                Some((e.clone(), kept.cloned().unwrap_or_else(new)))
            })
            .unzip();
        Self {
            set: EndpointSet::new(from.service(), set),
            from,
            endpoints,
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
