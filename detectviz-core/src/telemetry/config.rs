//! The settings of all telemetry.
#[cfg(feature = "otlp")]
use super::otlp::{OtelHeaders, OtlpConfig};
use super::{logs::LogsConfig, propagation::PropagationConfig};
use crate::config::{Checker, Loaded, SchemaBuilder, Section, schema_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The section `telemetry`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TelemetryConfig {
    /// `telemetry.logs`.
    pub logs: LogsConfig,
    /// `telemetry.metrics`.
    pub metrics: MetricsConfig,
    /// `telemetry.propagation`.
    pub propagation: PropagationConfig,
    /// `telemetry.otlp`.
    #[cfg(feature = "otlp")]
    pub otlp: OtlpConfig,
}

/// Settings of metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct MetricsConfig {
    /// How many series one metric may have; what goes beyond is folded into one series. The default is that of the
    /// OpenTelemetry SDK specification.
    pub cardinality_limit: usize,
}

const LOGS: (&str, &str) = ("telemetry.logs", "What is logged, and how.");
const METRICS: (&str, &str) = ("telemetry.metrics", "What is measured.");
const PROPAGATION: (&str, &str) = (
    "telemetry.propagation",
    "How trace context and baggage travel in headers.",
);
#[cfg(feature = "otlp")]
const OTLP: (&str, &str) = ("telemetry.otlp", "Export to an OpenTelemetry Collector.");

// === impl TelemetryConfig ===

impl TelemetryConfig {
    /// Takes its sections of a configuration.
    pub(crate) fn read(loaded: &mut Loaded) -> Self {
        Self {
            logs: loaded.section(LOGS.0),
            metrics: loaded.section(METRICS.0),
            propagation: loaded.section(PROPAGATION.0),
            #[cfg(feature = "otlp")]
            otlp: loaded.section(OTLP.0),
        }
    }

    /// Adds the schema of its sections.
    pub(crate) fn describe(schema: SchemaBuilder) -> SchemaBuilder {
        let schema = schema
            .section(LOGS.0, LOGS.1, schema_of::<LogsConfig>())
            .section(METRICS.0, METRICS.1, schema_of::<MetricsConfig>())
            .section(
                PROPAGATION.0,
                PROPAGATION.1,
                schema_of::<PropagationConfig>(),
            );
        #[cfg(feature = "otlp")]
        let schema = schema.section(OTLP.0, OTLP.1, schema_of::<OtlpConfig>());
        schema
    }

    /// The same with headers that the `OTEL_*` variables give to the export.
    #[cfg(feature = "otlp")]
    pub(crate) fn with_otel_headers(mut self, headers: OtelHeaders) -> Self {
        self.otlp.env_headers = headers;
        self
    }

    /// The path of the logs' section.
    pub(crate) fn logs_path() -> &'static str {
        LOGS.0
    }
}

// === impl MetricsConfig ===

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            cardinality_limit: 2000,
        }
    }
}

impl Section for MetricsConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.cardinality_limit == 0 {
            check.problem(
                "cardinality_limit",
                "leaves room for no series",
                "write a number such as 2000",
            );
        }
    }
}
