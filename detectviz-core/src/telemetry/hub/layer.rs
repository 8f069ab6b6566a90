//! The layer that brings events and spans of `tracing` to their runtime.
use super::{
    entered::{self, Place, place},
    span::{OpenSpan, Recording, Values, unix_nanos},
    table,
    visit::Each,
};
use crate::{
    task::RuntimeId,
    telemetry::{
        context::{TraceContext, current},
        logs::{Caller, Fields, Name, Value},
        span::{SpanKind, SpanRecord},
    },
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tracing::{Event, Level, Metadata, Subscriber, field::Visit, span};
use tracing_core::{Kind, callsite::Callsite, metadata};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

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
            OpenSpan::new(request, runtime, None)
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
            let mut open = begin(metadata.name(), around);
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
        let metadata = event.metadata();
        if !self.is_logged(place.runtime, metadata) {
            return;
        }
        if *metadata.level() == Level::ERROR
            && let Some(span) = ctx.event_span(event)
            && let Some(open) = span.extensions_mut().get_mut::<OpenSpan>()
        {
            open.fail();
        }
        let fields = |line: &mut Fields<'_>| {
            event.record(&mut Each(|name, value: Value<'_>| {
                if name != MESSAGE {
                    line.value(Name::known(name), value);
                }
            }));
            for span in ctx.event_scope(event).into_iter().flatten() {
                if let Some(open) = span.extensions().get::<OpenSpan>() {
                    open.fields.write(line);
                }
            }
        };
        table::with(place.runtime, |outputs| {
            let caller = Caller::new(
                metadata.file().unwrap_or_default(),
                metadata.line().unwrap_or(0),
            );
            let write = |message: Value<'_>| {
                let (level, target) = (*metadata.level(), metadata.target());
                outputs.logs().write(
                    level,
                    target,
                    caller,
                    place.context.as_ref(),
                    message,
                    fields,
                );
            };
            let mut written = false;
            event.record(&mut Each(|name, value: Value<'_>| {
                if name == MESSAGE && !written {
                    written = true;
                    write(value);
                }
            }));
            if !written {
                write(Value::Str(""));
            }
        });
    }

    fn on_enter(&self, id: &span::Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        if let Some(open) = span.extensions().get::<OpenSpan>() {
            entered::enter(self.id, id, open.context, open.runtime);
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

/// The field that `tracing` keeps the message in.
const MESSAGE: &str = "message";

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

/// The values that `record` shows.
fn values(recorded: bool, record: impl FnOnce(&mut dyn Visit)) -> Values {
    let mut values = Values::default();
    record(&mut Each(|name, value: Value<'_>| {
        values.push(name, value, recorded)
    }));
    values
}

/// A new span inside of `around`.
fn begin(name: &'static str, around: Place) -> OpenSpan {
    let recording = |context: TraceContext| {
        let wanted = table::with(around.runtime, |outputs| outputs.spans().clone());
        let spans = wanted.filter(|spans| context.is_sampled() && spans.is_recording())?;
        let mut record = SpanRecord::new(context, SpanKind::Internal, name, unix_nanos(), 0);
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
    OpenSpan::new(context, around.runtime, recording(context))
}

// === impl Request ===

impl Callsite for Request {
    fn set_interest(&self, _: tracing_core::Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &REQUEST_SPAN
    }
}
