//! Export to an OpenTelemetry Collector.
mod answer;
mod client;
mod config;
mod delivery;
mod encode_spans;
mod env;
mod exporter;
mod metrics;
mod notice;
mod optional_duration;
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
