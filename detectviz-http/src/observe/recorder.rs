//! Measures and logs requests.
use super::{
    ObserveConfig,
    access::{self, TARGET, Tail},
    series::{Key, SeriesTable},
};
use crate::{
    call::{Ending, Head},
    head_scan::Found,
    route::{Match, RouteTable},
};
use detectviz_core::telemetry::{
    context::Slot,
    logs::{EarlyFields, Logs},
    metrics::Registry,
};
use std::{
    fmt,
    time::{Duration, Instant},
};
use tracing::Level;

/// What all requests share.
pub(crate) struct Recorder {
    config: ObserveConfig,
    series: SeriesTable,
    logs: Logs,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) found: Match,
    pub(crate) status: Option<u16>,
    pub(crate) ending: Ending,
    /// When.
    pub(crate) at: Instant,
    pub(crate) took: Duration,
    /// `at` since the Unix epoch, where the trace is sampled; else 0.
    pub(crate) unix_nanos: u64,
    pub(crate) bytes_out: u64,
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new(
        config: &ObserveConfig,
        metrics: &Registry,
        logs: Logs,
        routes: RouteTable,
    ) -> Self {
        Self {
            config: config.clone(),
            series: SeriesTable::new(metrics, routes),
            logs,
        }
    }

    pub(crate) fn routes(&self) -> &RouteTable {
        self.series.routes()
    }

    /// Begins a request; returns whether its line will be written if nothing keeps it out of the log.
    pub(crate) fn started(&self, head: &Head) -> bool {
        self.series.active(head.method, head.wire).add(1);
        self.config.access_log && self.logs.enabled(Level::INFO, TARGET)
    }

    /// Renders what the head of a request gives to its line.
    #[inline]
    pub(crate) fn render(&self, path: &str, head: &Found<'_>, fields: &mut EarlyFields) {
        access::render(&self.logs, path, head, fields);
    }

    /// Records a request; `logged` is what [`started`](Self::started) returned.
    pub(crate) fn ended(&self, head: &Head, slot: &Slot, ended: &Ended, logged: bool) {
        let key = Key {
            method: head.method,
            wire: head.wire,
            status: ended.ending.status(ended.status).unwrap_or(0),
            ending: ended.ending,
        };
        let route = ended.found.route;
        self.series.active(head.method, head.wire).add(-1);
        self.series.read(route, key, |handles| {
            handles
                .duration
                .observe_traced_at(ended.took, &slot.context, ended.unix_nanos);
            if let Some(beyond) = &handles.beyond {
                beyond.inc();
            }
            if logged && (!ended.found.quiet || self.config.log_probes) {
                let routes = self.series.routes();
                let template = || access::template(&self.logs, routes, route, key);
                let tail = Tail {
                    at: ended.at,
                    took: ended.took,
                    bytes_out: ended.bytes_out,
                    trace: slot.context,
                };
                access::write(&self.logs, handles.line.get_or_init(template), head, &tail);
            }
        });
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
