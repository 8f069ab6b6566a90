//! Behaviour of the exporter: against a receiver in memory on a paused clock, and against one on a real socket.
mod answers;
mod attempts;
mod env;
mod life;
mod numbers;
mod receiver;
mod rules;
mod settings;
mod wire;

use self::receiver::{InMemory, Receiver, Reply};
use super::{
    OtlpConfig, OtlpExporter, PointCounts, Protocol, Resource, client::Client, encode_spans,
    metrics::Source,
};
use crate::{
    task::Tasks,
    telemetry::{
        context::TraceContext,
        span::{SpanCounts, SpanKind, SpanRecord, Spans},
    },
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{
        Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
    },
};
use std::{sync::Arc, time::Duration};

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];
const SECOND: Duration = Duration::from_secs(1);

/// An exporter whose connections end in a receiver in this process.
struct Rig {
    receiver: Arc<Receiver>,
    spans: Spans,
    exporter: OtlpExporter,
    tasks: Tasks,
}

impl Rig {
    async fn start(config: OtlpConfig, replies: impl IntoIterator<Item = Reply>) -> Self {
        let receiver = Receiver::new(replies);
        let tasks = Tasks::new();
        let spans = config.spans();
        let memory = InMemory::new(&receiver, &tasks);
        let connections = tasks.clone();
        let source: Source = Arc::new(|| counter(7));
        let exporter = OtlpExporter::build_with(
            config,
            Resource::new("orders"),
            spans.clone(),
            source,
            tasks.clone(),
            move |target| Client::over(memory.clone(), target, None, &connections),
        )
        .unwrap();
        exporter.start().await.unwrap();
        Self {
            receiver,
            spans,
            exporter,
            tasks,
        }
    }

    fn record(&self, n: usize) {
        for _ in 0..n {
            self.spans.record(span());
        }
    }

    /// Flushes and checks that the account is complete.
    async fn flush(&self, within: Duration) -> SpanCounts {
        let counts = self.exporter.flush(within).await;
        assert_eq!(
            counts.produced,
            counts.exported + counts.dropped(),
            "{counts:?}"
        );
        let points: PointCounts = self.exporter.points();
        assert_eq!(
            points.produced,
            points.exported + points.dropped(),
            "{points:?}"
        );
        counts
    }
}

/// Spans only.
fn traces(protocol: Protocol) -> OtlpConfig {
    let mut config = OtlpConfig {
        enabled: true,
        protocol,
        ..OtlpConfig::default()
    };
    config.metrics.enabled = false;
    config
}

fn span() -> SpanRecord {
    SpanRecord::new(TraceContext::root(true), SpanKind::Server, "GET /", 1, 2)
}

fn counter(value: i64) -> ExportMetricsServiceRequest {
    let point = NumberDataPoint {
        value: Some(number_data_point::Value::AsInt(value)),
        ..NumberDataPoint::default()
    };
    let sum = Sum {
        data_points: vec![point],
        aggregation_temporality: 2,
        is_monotonic: true,
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(encode_spans::resource_of(&Resource::new("orders"))),
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![Metric {
                    name: "orders".to_owned(),
                    data: Some(metric::Data::Sum(sum)),
                    ..Metric::default()
                }],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}
