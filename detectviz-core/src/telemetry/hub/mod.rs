//! Which runtime a log line or a span belongs to, and how `tracing` finds it.
mod span_sink;
mod table;

pub use self::{
    span_sink::{NoSpans, SpanClosed, SpanSink},
    table::{Outputs, Registration, register},
};
