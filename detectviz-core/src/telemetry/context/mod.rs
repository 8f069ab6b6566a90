//! Which trace the current work belongs to: ids, the `traceparent` format, and the slot that carries them.
//!
//! A request's [`Slot`] is set for as long as its future is polled and taken back in between, so that reading it costs a
//! look at a thread-local and nothing is cloned, locked or allocated. Log lines and outgoing calls read it from there.
//!
//! ```
//! use detectviz_core::telemetry::context::{Slot, TraceContext, current};
//!
//! let caller = TraceContext::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("valid");
//! let slot = Slot::new(caller.child());
//! let seen = slot.sync_scope(|| current(|slot| slot.map(|s| s.context.trace_id())));
//! assert_eq!(seen, Some(caller.trace_id()));
//! ```
mod hex;
mod ids;
mod note;
mod slot;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    ids::{SpanId, TraceId},
    note::{Note, NoteValue, note},
    slot::{Entered, InSlot, Slot, current, update},
    state::{MalformedTraceparent, TraceContext},
};
