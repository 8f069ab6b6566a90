//! The layer that brings events and spans of `tracing` to their runtime.
use super::{
    callsite::known,
    entered::{self, Place, place},
    span::{Fields, OpenSpan, Recording, Values},
    table,
    visit::{Each, Recorder},
};
use crate::{
    clock,
    task::RuntimeId,
    telemetry::{
        context::{TraceContext, current},
        logs::{Line, Value},
        span::{SpanKind, SpanRecord},
    },
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_core::{Kind, callsite::Callsite, metadata};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

/// Brings events and spans to the outputs of their runtime; see the [module](super).
///
/// It filters nothing for other layers: it looks at the runtime's levels itself.
///
/// # Clone
/// Clones count their open spans together.
#[derive(Clone, Debug)]
pub struct TelemetryLayer {
    id: u64,
    open: Arc<AtomicUsize>,
    /// Whether only what is logged comes here.
    filtered: bool,
}

/// The callsite of spans that stand for a request.
struct Request;

static REQUEST: Request = Request;

/// A span that stands for the request that the current thread works on.
pub(super) static REQUEST_SPAN: Metadata<'static> = metadata! {
    name: "request",
    target: module_path!(),
    level: Level::INFO,
    fields: &[],
    callsite: &REQUEST,
    kind: Kind::SPAN
};

// === impl TelemetryLayer ===

impl TelemetryLayer {
    /// A layer for a subscriber that has others too.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            open: Arc::default(),
            filtered: false,
        }
    }

    /// How many spans are open: made, and not dropped by their last owner.
    #[must_use]
    pub fn open_spans(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// A layer below a subscriber that asks the levels first.
    pub(super) fn filtered() -> Self {
        Self {
            filtered: true,
            ..Self::new()
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    fn is_logged(&self, runtime: Option<RuntimeId>, metadata: &Metadata<'_>) -> bool {
        self.filtered || is_logged(runtime, metadata)
    }

    /// Adds the fields of the spans that an event is in.
    fn write_spans<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>, line: &mut Line)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if event.is_contextual() && self.filtered {
            // Every span of our own subscriber is on the thread's stack: the registry need not be asked.
            entered::with_fields(self.id, |fields| fields.write(line));
        } else if let Some(span) = ctx.event_span(event)
            && let Some(fields) = fields_of(&span)
        {
            fields.write(line);
        }
    }
}

impl Default for TelemetryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for TelemetryLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attrs: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let metadata = attrs.metadata();
        let open = if metadata.callsite() == REQUEST_SPAN.callsite() {
            let Place {
                context: Some(request),
                runtime,
                ..
            } = place()
            else {
                return;
            };
            OpenSpan::new(request, runtime, None, None)
        } else {
            let around = match attrs.parent() {
                Some(parent) => place_of(parent, &ctx),
                None if attrs.is_root() => Place {
                    runtime: entered::runtime(),
                    ..Place::default()
                },
                None => place(),
            };
            if !self.is_logged(around.runtime, metadata) {
                return;
            }
            let within = span.parent().and_then(|parent| fields_of(&parent));
            let mut open = begin(metadata.name(), around, within);
            open.add(values(open.is_recorded(), |visitor| attrs.record(visitor)));
            open
        };
        span.extensions_mut().replace(open);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let is_recorded = |open: &OpenSpan| open.is_recorded();
        let Some(recorded) = span.extensions().get::<OpenSpan>().map(is_recorded) else {
            return;
        };
        let values = self::values(recorded, |visitor| values.record(visitor));
        if let Some(open) = span.extensions_mut().get_mut::<OpenSpan>() {
            open.add(values);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let place = match event.parent() {
            Some(parent) => place_of(parent, &ctx),
            None if event.is_root() => Place {
                runtime: entered::runtime(),
                ..Place::default()
            },
            None => place(),
        };
        table::with(place.runtime, |outputs| {
            let (metadata, logs) = (event.metadata(), outputs.logs());
            let level = *metadata.level();
            // Asked although the subscriber was: levels may have changed since a callsite was told that it is always on.
            if !logs.enabled(level, metadata.target()) {
                return;
            }
            if level == Level::ERROR
                && let Some(span) = ctx.event_span(event)
                && let Some(open) = span.extensions_mut().get_mut::<OpenSpan>()
            {
                open.fail();
            }
            let known = known(metadata);
            logs.record(level, &known.origin, |line| {
                let mut recorder = Recorder::new(known, line, place.context, logs.service());
                recorder.record(event);
                self.write_spans(event, &ctx, line);
            });
        });
    }

    fn on_enter(&self, id: &span::Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        if let Some(open) = span.extensions().get::<OpenSpan>() {
            entered::enter(self.id, id, open);
        }
    }

    fn on_exit(&self, id: &span::Id, _: Context<'_, S>) {
        entered::exit(self.id, id);
    }

    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(&id) else { return };
        let open = span.extensions_mut().remove::<OpenSpan>();
        if let Some(open) = open {
            self.open.fetch_sub(1, Ordering::Relaxed);
            open.close();
        }
    }
}

/// Whether an event or a span is logged in this runtime.
pub(super) fn is_logged(runtime: Option<RuntimeId>, metadata: &Metadata<'_>) -> bool {
    let enabled = table::with(runtime, |outputs| {
        outputs.logs().enabled(*metadata.level(), metadata.target())
    });
    enabled.unwrap_or(false)
}

/// The place inside of a span that was named as the parent.
fn place_of<S>(parent: &span::Id, ctx: &Context<'_, S>) -> Place
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let span = ctx.span(parent);
    let known = span.as_ref().and_then(|span| {
        let extensions = span.extensions();
        let open = extensions.get::<OpenSpan>()?;
        Some(Place {
            context: Some(open.context),
            runtime: open.runtime,
            in_slot: false,
        })
    });
    known.unwrap_or_else(place)
}

/// The fields of a span, or else of the innermost around it that is one of ours.
fn fields_of<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<Fields>> {
    let own = |span: SpanRef<'a, S>| {
        let extensions = span.extensions();
        extensions.get::<OpenSpan>().map(|open| open.fields.clone())
    };
    span.scope().find_map(own)
}

/// The values that `record` shows.
fn values(recorded: bool, record: impl FnOnce(&mut dyn Visit)) -> Values {
    let mut values = Values::default();
    record(&mut Each(|field: &Field, value: Value<'_>| {
        values.push(field.name(), value, recorded)
    }));
    values
}

/// A new span inside of `around`.
fn begin(name: &'static str, around: Place, within: Option<Arc<Fields>>) -> OpenSpan {
    let recording = |context: TraceContext| {
        let wanted = table::with(around.runtime, |outputs| outputs.spans().clone());
        let spans = wanted.filter(|spans| context.is_sampled() && spans.is_recording())?;
        let mut record = SpanRecord::new(context, SpanKind::Internal, name, clock::unix_nanos(), 0);
        record.parent = around.context.map(|parent| parent.span_id());
        current(|slot| {
            if let Some(slot) = slot.filter(|slot| slot.context.trace_id() == context.trace_id()) {
                record.tracestate = slot.tracestate.clone();
            }
        });
        Some(Recording {
            record: Box::new(record),
            spans,
        })
    };
    let context = match around.context {
        Some(parent) => parent.child(),
        None => {
            let root = TraceContext::root(false);
            let sample = |outputs: &table::Outputs| outputs.spans().sample_root(root.trace_id());
            root.with_sampled(table::with(around.runtime, sample).unwrap_or(false))
        }
    };
    OpenSpan::new(context, around.runtime, within, recording(context))
}

// === impl Request ===

impl Callsite for Request {
    fn set_interest(&self, _: tracing_core::Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &REQUEST_SPAN
    }
}
