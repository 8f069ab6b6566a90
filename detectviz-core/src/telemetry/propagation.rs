//! Which headers carry trace context and baggage: what every protocol of a service reads and writes.
use crate::config::{Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which headers carry trace context and baggage, of requests that come in and of calls that go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PropagationConfig {
    /// The header formats. Incoming: the first in this order that holds a valid trace wins. Outgoing: all are written.
    pub formats: Vec<Format>,
}

/// One way of writing trace context or baggage into headers, by the names of `OTEL_PROPAGATORS`. Exhaustive: each protocol
/// must know every format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// W3C Trace Context level 2: `traceparent` and `tracestate`.
    TraceContext,
    /// W3C Baggage: `baggage`.
    Baggage,
    /// Zipkin's single header `b3`.
    B3,
    /// Zipkin's headers `x-b3-traceid`, `x-b3-spanid`, `x-b3-sampled` and `x-b3-flags`.
    B3Multi,
    /// Jaeger's `uber-trace-id`.
    Jaeger,
}

// === impl PropagationConfig ===

impl PropagationConfig {
    /// Reads and writes these formats.
    #[must_use]
    pub fn formats(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        self.formats = formats.into_iter().collect();
        self
    }
}

impl Section for PropagationConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (at, format) in self.formats.iter().enumerate() {
            if self.formats[..at].contains(format) {
                let what = format!("{format:?} is listed twice");
                check.problem(&format!("formats[{at}]"), what, "list each format once");
            }
        }
    }
}

impl Default for PropagationConfig {
    fn default() -> Self {
        Self {
            formats: vec![Format::TraceContext, Format::Baggage],
        }
    }
}
