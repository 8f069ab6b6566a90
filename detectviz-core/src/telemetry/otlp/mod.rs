//! Export to an OpenTelemetry Collector.
//!
//! [`OtlpExporter`] sends the finished spans of a [`Spans`](super::span::Spans) and the metrics of a
//! [`Registry`](super::metrics::Registry), over HTTP or gRPC. Each signal has one request under way at a time. What may be
//! sent again, when, and what is dropped follows the OTLP specification; every span is either exported or counted under the
//! reason for which it was not. A Collector that is dead, hangs or refuses costs no request anything, and the end of the
//! process at most the time given to [`flush`](OtlpExporter::flush).
//!
//! The standard `OTEL_*` variables are read by [`otel_env`] from a lookup that the caller gives.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{
//!     task::Tasks,
//!     telemetry::{context::TraceContext, metrics::Registry, otlp::{OtlpConfig, OtlpExporter, Resource}},
//!     telemetry::span::{SpanKind, SpanRecord},
//! };
//! use std::time::Duration;
//!
//! let mut config = OtlpConfig::default();
//! config.enabled = true;
//! // Nobody listens here.
//! config.endpoint = Some("http://127.0.0.1:9".to_owned());
//!
//! let (spans, registry, tasks) = (config.spans(), Registry::new(), Tasks::new());
//! let exporter = OtlpExporter::build(config, Resource::new("orders"), spans.clone(), &registry, &tasks, None)
//!     .expect("a valid configuration");
//! exporter.start().await.expect("there are no secrets to miss");
//!
//! spans.record(SpanRecord::new(TraceContext::root(true), SpanKind::Internal, "tidy up", 1_000, 2_000));
//! let counts = exporter.flush(Duration::from_secs(2)).await;
//! assert_eq!((counts.produced, counts.exported, counts.shutdown), (1, 0, 1));
//! # }
//! ```
//!
//! # Not here
//! TLS and compression: a Collector or agent stands nearby. Logs: they go to stdout. Instruments made through the
//! `opentelemetry` API: they are not collected.
mod answer;
mod client;
mod config;
mod delivery;
mod encode_metrics;
mod encode_spans;
mod env;
mod exporter;
mod metrics;
mod notice;
mod observe;
mod quiet;
mod resource;
mod state;
mod stop;
mod target;
#[cfg(test)]
mod tests;
mod traces;
mod validate;

pub use self::{
    config::{MetricsExportConfig, OtlpConfig, Protocol, RetryConfig, SamplerKind, TracesConfig},
    env::{OtelHeaders, OtelProblem, OtelValue, OtelVars, otel_env},
    exporter::OtlpExporter,
    metrics::PointCounts,
    resource::Resource,
};
