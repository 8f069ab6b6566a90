//! Decides about a request's trace, and records its span.
use super::{TraceConfig, span};
use crate::{
    call::{Ending, Head},
    head_scan::Found,
    names,
    propagation::{Extracted, Malformed, Propagators},
    route::{Route, RouteTable},
};
use detectviz_core::telemetry::{
    context::{Slot, SpanId, TraceContext, TraceId},
    metrics::{Counter, Desc, Kind, Registry, Unit},
    span::{SpanKind, Spans},
};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

static MALFORMED: Desc = Desc {
    name: names::PROPAGATION_MALFORMED,
    help: "Headers of trace context and baggage that broke their specification and were dropped.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["header"],
    buckets: &[],
};

/// What all requests share.
pub(crate) struct Recorder {
    propagators: Propagators,
    trust_remote: bool,
    spans: Spans,
    malformed: [Arc<Counter>; Malformed::ALL.len()],
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) routes: &'a RouteTable,
    pub(crate) route: Route,
    pub(crate) status: Option<u16>,
    pub(crate) ending: Ending,
    /// When, and since the Unix epoch.
    pub(crate) at: Instant,
    pub(crate) unix_nanos: u64,
    pub(crate) took: Duration,
}

/// The flag of a trace id that is random (W3C Trace Context level 2 §3.2.2.5.2).
const RANDOM: u8 = 0b10;

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new(
        config: &TraceConfig,
        metrics: &Registry,
        spans: Spans,
        propagators: Propagators,
    ) -> Self {
        let malformed = metrics.counter(&MALFORMED);
        Self {
            propagators,
            trust_remote: config.trust_remote,
            spans,
            malformed: Malformed::ALL.map(|header| malformed.with(&[header])),
        }
    }

    /// Makes `slot` that of a request that begins at `started`, in the memory of an earlier one.
    #[inline]
    pub(crate) fn open(&self, head: &Found<'_>, started: Instant, slot: &mut Option<Box<Slot>>) {
        let caller = if self.trust_remote {
            self.propagators.extract_found(head)
        } else {
            Extracted::default()
        };
        if !caller.malformed.is_empty() {
            self.count(caller.malformed);
        }
        let context = self.context(&caller);
        let slot = slot.get_or_insert_with(|| Box::new(Slot::started_at(context, started)));
        slot.context = context;
        slot.parent = caller.parent.map(|parent| parent.span_id());
        slot.tracestate = caller.tracestate;
        slot.baggage = caller.baggage;
        slot.started = started;
        slot.ended = None;
        slot.deadline = None;
        slot.notes.clear();
    }

    /// Whether the span of a request will be recorded.
    pub(crate) fn records(&self, slot: &Slot) -> bool {
        slot.context.is_sampled() && self.spans.is_recording()
    }

    /// Records the span of a request that [is to be recorded](Self::records).
    pub(crate) fn ended(&self, head: &Head, slot: &Slot, end: &Ended<'_>) {
        self.spans
            .record_with(slot.context, SpanKind::Server, |record| {
                span::fill(record, head, slot, end);
            });
    }

    #[cold]
    fn count(&self, malformed: Malformed) {
        for (at, header) in Malformed::ALL.iter().enumerate() {
            if malformed.names().any(|name| name == *header) {
                self.malformed[at].inc();
            }
        }
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

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("propagators", &self.propagators)
            .field("trust_remote", &self.trust_remote)
            .field("spans", &self.spans)
            .finish_non_exhaustive()
    }
}
