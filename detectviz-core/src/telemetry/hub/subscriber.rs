//! The subscriber that detectviz installs.
use super::{
    entered::{self, place},
    layer::{REQUEST_SPAN, TelemetryLayer, is_logged},
    table,
};
use crate::telemetry::context::SpanId;
use std::cell::Cell;
use tracing::{Event, Metadata, Subscriber, level_filters::LevelFilter, span};
use tracing_core::{Dispatch, Interest, span::Current};
use tracing_subscriber::{Registry, layer::Layered, layer::SubscriberExt};

thread_local! {
    static OFFERED: Cell<Option<Offered>> = const { Cell::new(None) };
}

/// A [`TelemetryLayer`] on a registry of its own, which knows the request too: where a handler has made no span,
/// `Span::current()` is one that stands for the request, so that `tokio::spawn(future.in_current_span())` keeps its ids.
///
/// Such a span is made when somebody asks for it, ends with its last owner, and is not exported: the request's own span
/// is.
#[derive(Debug)]
pub struct TelemetrySubscriber {
    inner: Layered<TelemetryLayer, Registry>,
    layer: TelemetryLayer,
}

/// A span that stands for a request, which nobody has taken yet.
///
/// Whoever asks for the current span clones the id that he gets; the first to do so takes over the one reference there is.
/// Who only looks leaves it for the next to ask; a thread that ends right then leaves one span open.
#[derive(Clone, Copy)]
struct Offered {
    layer: u64,
    id: u64,
    request: SpanId,
}

// === impl TelemetrySubscriber ===

impl TelemetrySubscriber {
    /// A subscriber with no spans yet. [`install`](super::install) makes one for the whole process; a test may set one for
    /// a thread with `tracing::subscriber::set_default`.
    #[must_use]
    pub fn new() -> Self {
        let layer = TelemetryLayer::filtered();
        Self {
            inner: Registry::default().with(layer.clone()),
            layer,
        }
    }

    /// Its layer.
    #[must_use]
    pub fn layer(&self) -> &TelemetryLayer {
        &self.layer
    }

    /// A span for the request that is innermost now.
    fn request_span(&self, request: SpanId) -> Current {
        let offered = OFFERED
            .get()
            .filter(|offered| offered.layer == self.layer.id());
        let id = match offered {
            Some(offered) if offered.request == request => span::Id::from_u64(offered.id),
            _ => {
                if let Some(offered) = offered {
                    OFFERED.set(None);
                    self.inner.try_close(span::Id::from_u64(offered.id));
                }
                let values = REQUEST_SPAN.fields().value_set_all(&[]);
                let id = self
                    .inner
                    .new_span(&span::Attributes::new_root(&REQUEST_SPAN, &values));
                let (layer, raw) = (self.layer.id(), id.into_u64());
                OFFERED.set(Some(Offered {
                    layer,
                    id: raw,
                    request,
                }));
                id
            }
        };
        Current::new(id, &REQUEST_SPAN)
    }
}

impl Default for TelemetrySubscriber {
    fn default() -> Self {
        Self::new()
    }
}

impl Subscriber for TelemetrySubscriber {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.inner.on_register_dispatch(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match table::is_logged_everywhere(*metadata.level(), metadata.target()) {
            Some(true) => Interest::always(),
            None => Interest::sometimes(),
            Some(false) => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(table::max_level())
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_logged(entered::runtime(), metadata)
    }

    fn new_span(&self, attrs: &span::Attributes<'_>) -> span::Id {
        self.inner.new_span(attrs)
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        self.inner.record(span, values);
    }

    fn record_follows_from(&self, span: &span::Id, follows: &span::Id) {
        self.inner.record_follows_from(span, follows);
    }

    fn event_enabled(&self, _: &Event<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        self.inner.event(event);
    }

    fn enter(&self, span: &span::Id) {
        self.inner.enter(span);
    }

    fn exit(&self, span: &span::Id) {
        self.inner.exit(span);
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        let own =
            |offered: &Offered| offered.layer == self.layer.id() && offered.id == id.into_u64();
        if OFFERED.get().as_ref().is_some_and(own) {
            OFFERED.set(None);
            return id.clone();
        }
        self.inner.clone_span(id)
    }

    fn try_close(&self, id: span::Id) -> bool {
        self.inner.try_close(id)
    }

    fn current_span(&self) -> Current {
        let place = place();
        match place.context {
            Some(request) if place.in_slot => self.request_span(request.span_id()),
            _ => self.inner.current_span(),
        }
    }
}
