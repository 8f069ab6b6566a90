//! What a user may set.
use super::env::OtelHeaders;
use crate::{
    secret::SecretRef,
    telemetry::span::{Sampler, Spans},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Settings of the export to an OpenTelemetry Collector.
///
/// Compression is not offered: the Collector stands on the same node or in the same cluster. Neither is TLS: point the
/// endpoint at a Collector or agent nearby and let that speak TLS to the outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OtlpConfig {
    /// Whether spans and metrics are exported at all.
    pub enabled: bool,
    /// Where the Collector is, such as `http://otel-collector:4318`. With `http/protobuf`, `/v1/traces` and `/v1/metrics` are
    /// added. Unless set: port 4318 of localhost for `http/protobuf`, 4317 for `grpc`.
    pub endpoint: Option<String>,
    /// How to talk to it.
    pub protocol: Protocol,
    /// Headers of every request, by name. No secrets here.
    pub headers: BTreeMap<String, String>,
    /// Headers of every request whose values are secrets, by name; they are asked for anew before each export.
    pub secret_headers: BTreeMap<String, SecretRef>,
    /// More attributes of the resource, such as `k8s.pod.name`, beside those that the section `service` tells.
    pub resource: BTreeMap<String, String>,
    /// How long one request may take.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub timeout: Duration,
    /// When a request that may be repeated is repeated.
    pub retry: RetryConfig,
    /// Export of spans.
    pub traces: TracesConfig,
    /// Export of metrics.
    pub metrics: MetricsExportConfig,
    /// What `OTEL_EXPORTER_OTLP_HEADERS` and its kin said. Never from a file and never shown.
    #[serde(skip)]
    #[schemars(skip)]
    pub env_headers: OtelHeaders,
}

/// How to talk to the Collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf over HTTP/1.1.
    #[default]
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    /// gRPC over HTTP/2 without TLS.
    #[serde(rename = "grpc")]
    Grpc,
}

/// When a request that may be repeated is repeated.
///
/// The wait is `initial`, then half as much again each time up to `max`, each time between half and one and a half of that,
/// as the Collector's `exporterhelper` does. A `Retry-After` or `RetryInfo` of the server is used instead where there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RetryConfig {
    /// The first wait.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub initial: Duration,
    /// The longest wait.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub max: Duration,
    /// The longest wait that a server may ask for; a longer one is cut to this.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub max_retry_after: Duration,
}

/// Which traces are recorded, by the names that OpenTelemetry gives to its samplers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplerKind {
    /// Follow the caller; record every trace that starts here.
    #[default]
    #[serde(rename = "parentbased_always_on")]
    ParentBasedAlwaysOn,
    /// Follow the caller; record no trace that starts here.
    #[serde(rename = "parentbased_always_off")]
    ParentBasedAlwaysOff,
    /// Follow the caller; record the share `ratio` of the traces that start here.
    #[serde(rename = "parentbased_traceidratio")]
    ParentBasedTraceIdRatio,
    /// Record every trace.
    AlwaysOn,
    /// Record no trace.
    AlwaysOff,
    /// Record the share `ratio` of all traces, whatever the caller decided.
    #[serde(rename = "traceidratio")]
    TraceIdRatio,
}

/// Export of spans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TracesConfig {
    /// Whether spans are recorded and exported.
    pub enabled: bool,
    /// Where spans go, in full and used as it is, instead of the endpoint above.
    pub endpoint: Option<String>,
    /// The protocol for spans, instead of the one above.
    pub protocol: Option<Protocol>,
    /// More headers for spans; they replace those above of the same name.
    pub headers: BTreeMap<String, String>,
    /// More secret headers for spans; they replace those above of the same name.
    pub secret_headers: BTreeMap<String, SecretRef>,
    /// How long one request may take, instead of the time above.
    #[serde(with = "crate::config::optional_duration")]
    #[schemars(with = "Option<crate::config::DurationText>")]
    pub timeout: Option<Duration>,
    /// Which traces are recorded.
    pub sampler: SamplerKind,
    /// The share of traces that a `…traceidratio` sampler records, from 0.0 to 1.0.
    pub ratio: f64,
    /// How many finished spans wait at most; further ones are dropped and counted. At least 2; about 1.3 KiB each.
    pub queue: usize,
    /// How many spans one request holds at most, from 1 to `queue`. As many waiting spans are sent at once.
    pub batch: usize,
    /// How long fewer spans than a batch wait.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub schedule_delay: Duration,
    /// How long one batch is tried, retries included, before it is dropped and counted.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub export_timeout: Duration,
}

/// Export of metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct MetricsExportConfig {
    /// Whether metrics are exported. `/metrics` is there in any case.
    pub enabled: bool,
    /// Where metrics go, in full and used as it is, instead of the endpoint above.
    pub endpoint: Option<String>,
    /// The protocol for metrics, instead of the one above.
    pub protocol: Option<Protocol>,
    /// More headers for metrics; they replace those above of the same name.
    pub headers: BTreeMap<String, String>,
    /// More secret headers for metrics; they replace those above of the same name.
    pub secret_headers: BTreeMap<String, SecretRef>,
    /// How long one request may take, instead of the time above.
    #[serde(with = "crate::config::optional_duration")]
    #[schemars(with = "Option<crate::config::DurationText>")]
    pub timeout: Option<Duration>,
    /// The time from one export to the next.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub interval: Duration,
    /// How long one export is tried, retries included; at most `interval` counts.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub export_timeout: Duration,
}

// === impl OtlpConfig ===

impl OtlpConfig {
    /// The queue for finished spans that this configuration asks for: disabled unless spans are exported.
    #[must_use]
    pub fn spans(&self) -> Spans {
        if self.enabled && self.traces.enabled {
            Spans::with_sizes(self.traces.sampler(), self.traces.queue, self.traces.batch)
        } else {
            Spans::disabled()
        }
    }
}

impl Default for OtlpConfig {
    /// Off, and otherwise as OpenTelemetry specifies.
    fn default() -> Self {
        Self {
            enabled: false,
            endpoint: None,
            protocol: Protocol::default(),
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            resource: BTreeMap::new(),
            timeout: Duration::from_secs(10),
            retry: RetryConfig::default(),
            traces: TracesConfig::default(),
            metrics: MetricsExportConfig::default(),
            env_headers: OtelHeaders::default(),
        }
    }
}

// === impl RetryConfig ===

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(5),
            max: Duration::from_secs(30),
            max_retry_after: Duration::from_secs(300),
        }
    }
}

// === impl TracesConfig ===

impl TracesConfig {
    /// The sampler that `sampler` and `ratio` stand for.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        match self.sampler {
            SamplerKind::ParentBasedAlwaysOn => Sampler::always_on(),
            SamplerKind::ParentBasedAlwaysOff => Sampler::always_off(),
            SamplerKind::ParentBasedTraceIdRatio => Sampler::ratio(self.ratio),
            SamplerKind::AlwaysOn => Sampler::always_on().ignoring_parent(),
            SamplerKind::AlwaysOff => Sampler::always_off().ignoring_parent(),
            SamplerKind::TraceIdRatio => Sampler::ratio(self.ratio).ignoring_parent(),
        }
    }
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            protocol: None,
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            timeout: None,
            sampler: SamplerKind::default(),
            ratio: 1.0,
            queue: Spans::QUEUE,
            batch: Spans::BATCH,
            schedule_delay: Duration::from_secs(5),
            export_timeout: Duration::from_secs(30),
        }
    }
}

// === impl MetricsExportConfig ===

impl Default for MetricsExportConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            protocol: None,
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            timeout: None,
            interval: Duration::from_secs(60),
            export_timeout: Duration::from_secs(30),
        }
    }
}
