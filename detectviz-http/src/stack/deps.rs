//! What the stack is given.
use crate::{probe::Probes, propagation::Propagators, route::RouteTable};
use detectviz_core::{
    resilience::timer::Timer,
    telemetry::{logs::Logs, metrics::Registry, span::Spans},
};

/// Where the telemetry of a [`Stack`](super::Stack) goes, and the routes it knows. The default keeps metrics to itself,
/// and writes no log and no span.
#[derive(Clone, Debug)]
#[must_use]
pub struct StackDeps {
    pub(super) metrics: Registry,
    pub(super) logs: Logs,
    pub(super) spans: Spans,
    pub(super) routes: RouteTable,
    pub(super) propagators: Propagators,
    pub(super) probes: Option<Probes>,
    pub(super) metrics_page: bool,
    pub(super) timer: Timer,
}

impl StackDeps {
    /// Measures in this registry.
    pub fn with_metrics(mut self, metrics: Registry) -> Self {
        self.metrics = metrics;
        self
    }

    /// Logs here.
    pub fn with_logs(mut self, logs: Logs) -> Self {
        self.logs = logs;
        self
    }

    /// Samples and records spans here.
    pub fn with_spans(mut self, spans: Spans) -> Self {
        self.spans = spans;
        self
    }

    /// Names requests after these routes.
    pub fn with_routes(mut self, routes: RouteTable) -> Self {
        self.routes = routes;
        self
    }

    /// Waits for deadlines with this timer; one of its own unless told.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// Answers these probes before anything is refused, and keeps them out of the access log.
    pub fn with_probes(mut self, probes: Probes) -> Self {
        self.probes = Some(probes);
        self
    }

    /// Answers `GET /metrics`, as the admin port does, before anything is refused.
    pub fn with_metrics_page(mut self, wanted: bool) -> Self {
        self.metrics_page = wanted;
        self
    }

    /// Reads the caller's trace in these formats; W3C Trace Context and Baggage unless told.
    pub fn with_propagators(mut self, propagators: Propagators) -> Self {
        self.propagators = propagators;
        self
    }
}

impl Default for StackDeps {
    fn default() -> Self {
        Self {
            metrics: Registry::new(),
            logs: Logs::disabled(),
            spans: Spans::disabled(),
            routes: RouteTable::new(),
            propagators: Propagators::default(),
            probes: None,
            metrics_page: false,
            timer: Timer::new(),
        }
    }
}
