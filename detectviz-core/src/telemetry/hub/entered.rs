//! Where the current thread is: in which spans of users, in which request, for which runtime.
use super::span::{Fields, OpenSpan};
use crate::{
    task::RuntimeId,
    telemetry::context::{SpanId, TraceContext, current},
};
use std::{cell::RefCell, sync::Arc};
use tracing::span;

thread_local! {
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// A span of a user that the thread is in, and what was around it when it was entered.
#[derive(Debug)]
struct Entered {
    /// Which layer made it: two subscribers may give one id to two spans.
    layer: u64,
    id: u64,
    context: TraceContext,
    runtime: Option<RuntimeId>,
    fields: Arc<Fields>,
    slot: Option<SpanId>,
    around: Option<RuntimeId>,
}

/// Where an event or a new span belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) context: Option<TraceContext>,
    pub(super) runtime: Option<RuntimeId>,
    /// Whether the request itself is innermost, with no span of a user within it.
    pub(super) in_slot: bool,
}

/// The innermost span that the current thread works in: that of a user's `tracing` span, or of the request. `None` outside
/// of both. It is what an outgoing call names as its parent.
#[must_use]
pub fn current_context() -> Option<TraceContext> {
    place().context
}

/// What is innermost now.
///
/// A request or a runtime that is not the one that was around the innermost span when that was entered came after it, and
/// is therefore inside of it.
pub(super) fn place() -> Place {
    let slot = current(|slot| slot.map(|slot| slot.context));
    let around = RuntimeId::current();
    with_top(|top| {
        let Some(top) = top else {
            return Place {
                context: slot,
                runtime: around,
                in_slot: slot.is_some(),
            };
        };
        let in_slot = slot.is_some_and(|slot| top.slot != Some(slot.span_id()));
        Place {
            context: if in_slot { slot } else { Some(top.context) },
            runtime: top.runtime_within(around),
            in_slot,
        }
    })
}

/// The runtime alone; what a disabled event costs.
pub(super) fn runtime() -> Option<RuntimeId> {
    let around = RuntimeId::current();
    with_top(|top| top.map_or(around, |top| top.runtime_within(around)))
}

/// Gives `read` the fields of the innermost span of a layer, if there is one. It must not log, nor enter or leave a span.
pub(super) fn with_fields(layer: u64, read: impl FnOnce(&Fields)) {
    let _ = ENTERED.try_with(|stack| {
        let stack = stack.borrow();
        if let Some(own) = stack.iter().rfind(|entered| entered.layer == layer) {
            read(&own.fields);
        }
    });
}

/// The thread enters a span.
pub(super) fn enter(layer: u64, id: &span::Id, span: &OpenSpan) {
    let entered = Entered {
        layer,
        id: id.into_u64(),
        context: span.context,
        runtime: span.runtime,
        fields: span.fields.clone(),
        slot: current(|slot| slot.map(|slot| slot.context.span_id())),
        around: RuntimeId::current(),
    };
    let _ = ENTERED.try_with(|stack| stack.borrow_mut().push(entered));
}

/// The thread leaves a span, which need not be the innermost.
pub(super) fn exit(layer: u64, id: &span::Id) {
    let left = ENTERED.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        let own = |entered: &Entered| entered.layer == layer && entered.id == id.into_u64();
        let at = stack.iter().rposition(own)?;
        Some(stack.remove(at))
    });
    drop(left);
}

/// Gives `read` the innermost span.
fn with_top<R>(read: impl Fn(Option<&Entered>) -> R) -> R {
    ENTERED
        .try_with(|stack| read(stack.borrow().last()))
        .unwrap_or_else(|_| read(None))
}

// === impl Entered ===

impl Entered {
    /// The runtime of what is made within the span, while the thread works for `around`.
    fn runtime_within(&self, around: Option<RuntimeId>) -> Option<RuntimeId> {
        if around.is_some() && around != self.around {
            around
        } else {
            self.runtime.or(around)
        }
    }
}
