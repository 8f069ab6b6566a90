//! Decides about a request's trace, and records its span.
use super::{TraceConfig, head::is_head, span::SpanStart, state::Ending};
use crate::{
    names,
    propagation::{Extracted, Malformed, Propagators},
    route::{RouteTable, Scope},
};
use detectviz_core::telemetry::{
    context::{Slot, SpanId, TraceContext, TraceId},
    metrics::{Counter, Desc, Kind, Registry, Unit},
    span::Spans,
};
use http::Request;
use std::{
    fmt,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

static MALFORMED: Desc = Desc {
    name: names::PROPAGATION_MALFORMED,
    help: "Headers of trace context and baggage that broke their specification and were dropped.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["header"],
    buckets: &[],
};

/// What the requests of one layer share.
pub(super) struct Recorder {
    propagators: Propagators,
    trust_remote: bool,
    spans: Spans,
    pub(super) routes: RouteTable,
    malformed: [Arc<Counter>; Malformed::ALL.len()],
}

/// One request while it runs. When it is dropped without an [end](Self::end), the request was given up.
pub(super) struct Active {
    pub(super) slot: Option<Slot>,
    pub(super) scope: Option<Scope>,
    /// Only for a trace that is sampled.
    span: Option<SpanStart>,
    /// Whether the request was HEAD.
    pub(super) head: bool,
    /// The status of the response, once there is one.
    pub(super) status: Option<u16>,
    /// While the inner service runs: what ends in that state panicked.
    pub(super) running: bool,
    recorder: Arc<Recorder>,
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(
        config: &TraceConfig,
        metrics: &Registry,
        spans: Spans,
        routes: RouteTable,
    ) -> Self {
        let malformed = metrics.counter(&MALFORMED);
        Self {
            propagators: Propagators::default(),
            trust_remote: config.trust_remote,
            spans,
            routes,
            malformed: Malformed::ALL.map(|header| malformed.with(&[header])),
        }
    }

    /// The same with other routes.
    pub(super) fn with_routes(&self, routes: RouteTable) -> Self {
        Self {
            propagators: self.propagators,
            trust_remote: self.trust_remote,
            spans: self.spans.clone(),
            routes,
            malformed: self.malformed.clone(),
        }
    }

    /// The same with other header formats.
    pub(super) fn with_propagators(&self, propagators: Propagators) -> Self {
        Self {
            propagators,
            ..self.with_routes(self.routes.clone())
        }
    }

    /// Begins a request.
    pub(super) fn open<B>(recorder: &Arc<Self>, req: &Request<B>) -> Active {
        let started = Instant::now();
        let caller = recorder.extract(req);
        let mut slot = Slot::started_at(recorder.context(&caller), started);
        slot.parent = caller.parent.map(|parent| parent.span_id());
        slot.tracestate = caller.tracestate;
        slot.baggage = caller.baggage;
        let records = slot.context.is_sampled() && recorder.spans.is_recording();
        Active {
            span: records.then(|| SpanStart::of(req)),
            slot: Some(slot),
            scope: Some(Scope::of(&recorder.routes, req.method(), req.uri().path())),
            head: is_head(req.method()),
            status: None,
            running: false,
            recorder: recorder.clone(),
        }
    }

    fn extract<B>(&self, req: &Request<B>) -> Extracted {
        if !self.trust_remote {
            return Extracted::default();
        }
        let caller = self.propagators.extract(req.headers());
        if !caller.malformed.is_empty() {
            for (at, header) in Malformed::ALL.iter().enumerate() {
                if caller.malformed.names().any(|name| name == *header) {
                    self.malformed[at].inc();
                }
            }
        }
        caller
    }

    fn context(&self, caller: &Extracted) -> TraceContext {
        match (&caller.parent, caller.decision) {
            (Some(parent), _) => {
                let sampled = self.spans.sample_child(parent);
                parent.child().with_sampled(sampled)
            }
            (None, Some(sampled)) => TraceContext::root(sampled),
            (None, None) => {
                let trace_id = TraceId::random();
                let sampled = self.spans.sample_root(trace_id);
                TraceContext::new(trace_id, SpanId::random(), RANDOM | u8::from(sampled))
            }
        }
    }
}

/// The flag of a trace id that is random (W3C Trace Context level 2 §3.2.2.5.2).
const RANDOM: u8 = 0b10;

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("propagators", &self.propagators)
            .field("trust_remote", &self.trust_remote)
            .field("spans", &self.spans)
            .finish_non_exhaustive()
    }
}

// === impl Active ===

impl Active {
    /// Runs `work` with the slot and the route in place.
    pub(super) fn enter<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let context = self.slot.as_ref().map(|slot| slot.context);
        let _note = crate::catch_panic::NoteOnUnwind(context);
        let Self { slot, scope, .. } = self;
        Slot::lend(slot, || Scope::lend(scope, work))
    }

    /// Records the span, once.
    pub(super) fn end(&mut self, ending: Ending) {
        let (Some(span), Some(slot)) = (self.span.take(), &self.slot) else {
            return;
        };
        let ended = slot.ended.unwrap_or_else(Instant::now);
        let took = ended.saturating_duration_since(slot.started);
        let route = self
            .scope
            .as_ref()
            .map(Scope::found)
            .unwrap_or_default()
            .route;
        let record = span.finish(
            slot,
            (&self.recorder.routes, route),
            (self.status, ending),
            (
                unix_nanos(),
                u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
            ),
        );
        self.recorder.spans.record(record);
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let panicked = self.running || std::thread::panicking();
        self.end(if panicked {
            Ending::Panicked
        } else {
            Ending::Cancelled
        });
    }
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Active")
            .field("slot", &self.slot)
            .field("sampled", &self.span.is_some())
            .finish_non_exhaustive()
    }
}

/// Now, since the Unix epoch. Read when a span ends rather than kept from the start of the process, so that spans follow a
/// clock that was set meanwhile.
fn unix_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}
