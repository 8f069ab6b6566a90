//! Where the current thread is: in which spans of users, in which request, for which runtime.
use crate::{
    task::RuntimeId,
    telemetry::context::{SpanId, TraceContext, current},
};
use std::cell::RefCell;
use tracing::span;

thread_local! {
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// A span of a user that the thread is in, and what was around it when it was entered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entered {
    /// Which layer made it: two subscribers may give one id to two spans.
    pub(super) layer: u64,
    pub(super) id: u64,
    pub(super) context: TraceContext,
    pub(super) runtime: Option<RuntimeId>,
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
    let Some(top) = top() else {
        return Place {
            context: slot,
            runtime: around,
            in_slot: slot.is_some(),
        };
    };
    let in_slot = slot.is_some_and(|slot| top.slot != Some(slot.span_id()));
    let in_runtime = around.is_some() && around != top.around;
    Place {
        context: if in_slot { slot } else { Some(top.context) },
        runtime: if in_runtime {
            around
        } else {
            top.runtime.or(around)
        },
        in_slot,
    }
}

/// The runtime alone; what a disabled event costs.
pub(super) fn runtime() -> Option<RuntimeId> {
    let around = RuntimeId::current();
    match top() {
        Some(top) if around.is_none() || around == top.around => top.runtime.or(around),
        _ => around,
    }
}

/// The thread enters a span.
pub(super) fn enter(layer: u64, id: &span::Id, context: TraceContext, runtime: Option<RuntimeId>) {
    let entered = Entered {
        layer,
        id: id.into_u64(),
        context,
        runtime,
        slot: current(|slot| slot.map(|slot| slot.context.span_id())),
        around: RuntimeId::current(),
    };
    let _ = ENTERED.try_with(|stack| stack.borrow_mut().push(entered));
}

/// The thread leaves a span, which need not be the innermost.
pub(super) fn exit(layer: u64, id: &span::Id) {
    let _ = ENTERED.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        let own = |entered: &Entered| entered.layer == layer && entered.id == id.into_u64();
        if let Some(at) = stack.iter().rposition(own) {
            stack.remove(at);
        }
    });
}

fn top() -> Option<Entered> {
    ENTERED
        .try_with(|stack| stack.borrow().last().copied())
        .ok()
        .flatten()
}
