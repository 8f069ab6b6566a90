//! The metrics of the client, and its lines in the log.
use super::{
    line::{self, Tail},
    span::method_name,
};
use crate::names;
use arc_swap::ArcSwap;
use detectviz_core::telemetry::{
    logs::{LineTemplate, Logs},
    metrics::{DURATION_BUCKETS, Desc, Family, Gauge, Histogram, Kind, Registry, Unit},
};
use http::{Method, StatusCode};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// Owns the families.
#[derive(Debug)]
pub(super) struct Recorder {
    duration: Family<Histogram>,
    active: Family<Gauge>,
    logs: Logs,
}

/// The handles for one host and port. They are looked up by their labels once; the call compares small keys.
pub(super) struct Series {
    address: String,
    port: String,
    active: Arc<Gauge>,
    known: ArcSwap<Vec<(Key, Arc<Handles>)>>,
}

/// What calls of one ending are recorded in.
struct Handles {
    duration: Arc<Histogram>,
    /// What their lines have in common; rendered for the first of them.
    line: OnceLock<LineTemplate>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// The status, once it was there.
    pub(super) status: Option<StatusCode>,
    /// Why there is no whole response.
    pub(super) error: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    method: &'static str,
    ending: Ending,
}

static DURATION: Desc = Desc {
    name: names::CLIENT_REQUEST_DURATION,
    help: "How long calls took, from their start to the end of the response's body.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &[
        "http.request.method",
        "server.address",
        "server.port",
        "http.response.status_code",
        "error.type",
    ],
    buckets: DURATION_BUCKETS,
};

static ACTIVE: Desc = Desc {
    name: names::CLIENT_ACTIVE_REQUESTS,
    help: "How many calls are under way.",
    unit: Unit::Of("{request}"),
    kind: Kind::Gauge,
    labels: &["server.address", "server.port"],
    buckets: &[],
};

/// How many endings are remembered for one host; an upstream that invents statuses gets no further.
const MAX_KNOWN: usize = 64;

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(metrics: &Registry, logs: Logs) -> Self {
        Self {
            duration: metrics.histogram(&DURATION),
            active: metrics.gauge(&ACTIVE),
            logs,
        }
    }

    /// The handles for one host and port.
    pub(super) fn series(&self, address: &str, port: u16) -> Series {
        let port = port.to_string();
        Series {
            active: self.active.with(&[address, &port]),
            address: address.to_owned(),
            port,
            known: ArcSwap::default(),
        }
    }
}

// === impl Series ===

impl Series {
    pub(super) fn started(&self) {
        self.active.add(1);
    }

    pub(super) fn left(&self) {
        self.active.add(-1);
    }

    /// Counts a call and, where its level is wanted, writes its line; a sampled one leaves its trace as an exemplar.
    pub(super) fn ended(
        &self,
        recorder: &Recorder,
        method: &Method,
        ending: Ending,
        tail: &Tail<'_>,
    ) {
        let method = method_name(method);
        let key = Key { method, ending };
        let known = self.known.load();
        let found = known.iter().find(|(known, _)| *known == key);
        match found {
            Some((_, handles)) => self.record(recorder, key, handles, tail),
            None => self.record(recorder, key, &self.remember(recorder, key), tail),
        }
    }

    #[inline]
    fn record(&self, recorder: &Recorder, key: Key, handles: &Handles, tail: &Tail<'_>) {
        if tail.trace.is_sampled() {
            handles.duration.observe_traced(tail.took, &tail.trace);
        } else {
            handles.duration.observe(tail.took);
        }
        if line::is_wanted(&recorder.logs, key.ending) {
            let server = (&*self.address, &*self.port);
            let template = || line::template(&recorder.logs, key.method, server, key.ending);
            line::write(&recorder.logs, handles.line.get_or_init(template), tail);
        }
    }

    fn remember(&self, recorder: &Recorder, key: Key) -> Arc<Handles> {
        let Key { method, ending } = key;
        let status = ending.status.as_ref().map_or("", StatusCode::as_str);
        let error = ending.error_type();
        let labels = [
            method,
            &self.address,
            &self.port,
            status,
            error.unwrap_or(""),
        ];
        let handles = Arc::new(Handles {
            duration: recorder.duration.with(&labels),
            line: OnceLock::new(),
        });
        self.known.rcu(|known| {
            let mut known = Vec::clone(known);
            if known.len() < MAX_KNOWN && !known.iter().any(|(known, _)| *known == key) {
                known.push((key, Arc::clone(&handles)));
            }
            known
        });
        handles
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series")
            .field("address", &self.address)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

// === impl Ending ===

impl Ending {
    /// OpenTelemetry's `error.type`: what broke the call, or the status when that is an error's.
    pub(super) fn error_type(&self) -> Option<&str> {
        let refused = |s: &&StatusCode| s.is_client_error() || s.is_server_error();
        let status = self.status.as_ref().filter(refused);
        self.error.or(status.map(StatusCode::as_str))
    }
}
