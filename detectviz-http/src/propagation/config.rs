//! What a user may set.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`Propagators`](super::Propagators).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PropagationConfig {
    /// The header formats. Incoming: the first in this order that holds a valid trace wins. Outgoing: all are written.
    pub formats: Vec<Format>,
}

/// One way of writing trace context or baggage into headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
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
    /// What is wrong with the settings: the key below this section, what is wrong, what to write instead.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String, String)> {
        let repeated = self
            .formats
            .iter()
            .enumerate()
            .find(|(at, format)| self.formats[..*at].contains(format));
        repeated
            .map(|(_, format)| {
                (
                    "formats",
                    format!("{format:?} is listed twice"),
                    "list each format once".to_owned(),
                )
            })
            .into_iter()
            .collect()
    }
}

impl Default for PropagationConfig {
    fn default() -> Self {
        Self {
            formats: vec![Format::TraceContext, Format::Baggage],
        }
    }
}
