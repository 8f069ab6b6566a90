//! One request, from its head until everything about it is recorded.
use super::{
    ObserveConfig,
    access::{Head, TARGET, Tail},
    series::{Key, SeriesTable},
};
use crate::{
    route::{self, MethodName, RouteTable, Scope},
    trace::{Ending, is_head, protocol_version, scheme},
};
use detectviz_core::telemetry::{context, logs::Logs, metrics::Registry};
use http::Request;
use http_body::Body;
use std::{fmt, sync::Arc, time::Instant};
use tracing::Level;

/// What the requests of one layer share.
pub(super) struct Recorder {
    config: ObserveConfig,
    series: SeriesTable,
    logs: Logs,
}

/// One request while it runs. When it is dropped without an [end](Self::end), the request was given up.
pub(super) struct Active {
    started: Instant,
    method: MethodName,
    scheme: &'static str,
    version: &'static str,
    /// Only where the access log is on.
    head: Option<Head>,
    /// The route, unless an outer layer has matched it.
    pub(super) scope: Option<Scope>,
    /// Whether the request was HEAD.
    pub(super) is_head: bool,
    /// The status of the response, once there is one.
    pub(super) status: Option<u16>,
    /// While the inner service runs: what ends in that state panicked.
    pub(super) running: bool,
    recorded: bool,
    recorder: Arc<Recorder>,
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(config: &ObserveConfig, metrics: &Registry, logs: Logs) -> Self {
        Self {
            config: config.clone(),
            series: SeriesTable::new(metrics, RouteTable::new()),
            logs,
        }
    }

    /// The same with other routes.
    pub(super) fn with_routes(&self, routes: RouteTable) -> Self {
        Self {
            config: self.config.clone(),
            series: self.series.with_routes(routes),
            logs: self.logs.clone(),
        }
    }

    /// Begins a request, at the time at which its slot says that it began.
    pub(super) fn open<B: Body>(recorder: &Arc<Self>, req: &Request<B>) -> Active {
        let started = context::current(|slot| slot.map(|slot| slot.started));
        let method = MethodName::of(req.method());
        let scheme = scheme(req);
        let routes = recorder.series.routes();
        let matched = route::current(routes).is_some();
        let logged = recorder.config.access_log && recorder.logs.enabled(Level::INFO, TARGET);
        recorder.series.active(method, scheme).add(1);
        Active {
            started: started.unwrap_or_else(Instant::now),
            method,
            scheme,
            version: protocol_version(req.version()),
            head: logged.then(|| Head::of(req)),
            scope: (!matched).then(|| Scope::of(routes, req.method(), req.uri().path())),
            is_head: is_head(req.method()),
            status: None,
            running: false,
            recorded: false,
            recorder: recorder.clone(),
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("config", &self.config)
            .field("routes", self.series.routes())
            .finish_non_exhaustive()
    }
}

// === impl Active ===

impl Active {
    /// Runs `work` with the route in place.
    pub(super) fn enter<R>(&mut self, work: impl FnOnce() -> R) -> R {
        Scope::lend(&mut self.scope, work)
    }

    /// Records the request, once.
    pub(super) fn end(&mut self, ending: Ending, bytes_out: u64) {
        if self.recorded {
            return;
        }
        self.recorded = true;
        let ended = Instant::now();
        let trace = context::update(|slot| {
            slot.ended = Some(ended);
            slot.context
        });
        let series = &self.recorder.series;
        let scope = self.scope.as_ref().map(Scope::found);
        let found = scope
            .or_else(|| route::current(series.routes()))
            .unwrap_or_default();
        let tail = Tail {
            key: Key {
                method: self.method,
                scheme: self.scheme,
                version: self.version,
                status: ending.status(self.status).unwrap_or(0),
                ending,
            },
            route: found.route,
            took: ended.saturating_duration_since(self.started),
            bytes_out,
            trace,
        };
        series.active(self.method, self.scheme).add(-1);
        series.read(tail.route, tail.key, |handles| {
            handles.requests.inc();
            match &trace {
                Some(trace) => handles.duration.observe_traced(tail.took, trace),
                None => handles.duration.observe(tail.took),
            }
        });
        let logged = !found.quiet || self.recorder.config.log_probes;
        if let Some(head) = self.head.take().filter(|_| logged) {
            head.write(&self.recorder.logs, series.routes(), &tail);
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let panicked = self.running || std::thread::panicking();
        let ending = if panicked {
            Ending::Panicked
        } else {
            Ending::Cancelled
        };
        self.end(ending, 0);
    }
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Active")
            .field("method", &self.method.as_str())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
