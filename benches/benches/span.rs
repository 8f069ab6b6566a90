//! The span of a request with the attributes of an HTTP server, from its ids to where it waits to be exported, beside
//! tracing-opentelemetry; and what becomes of it when the trace is not sampled.
use criterion::{Criterion, criterion_group, criterion_main};
use detectviz_benches::{allocations, rounds};
use detectviz_core::telemetry::{
    context::{SpanId, TraceContext, TraceId},
    logs::Logs,
    span::{Sampler, SpanKind, Spans},
};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Sampler as PeerSampler, SdkTracerProvider, SpanData, SpanExporter},
};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tracing::{field, subscriber::with_default};
use tracing_subscriber::layer::SubscriberExt;

/// What a layer knows of a request when it ends.
struct Request {
    title: Arc<str>,
    route: &'static str,
    path: String,
    host: String,
    user_agent: String,
    client: String,
}

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(batch);
        Ok(())
    }
}

impl Request {
    fn new() -> Self {
        Self {
            title: "GET /orders/{id}".into(),
            route: "/orders/{id}",
            path: "/orders/7".to_owned(),
            host: "shop.example".to_owned(),
            user_agent: "curl/8.5.0".to_owned(),
            client: "10.0.200.1".to_owned(),
        }
    }

    fn record(&self, spans: &Spans, parent: &TraceContext) {
        let sampled = spans.sample_child(parent);
        let context = black_box(parent.child().with_sampled(sampled));
        spans.record_with(context, SpanKind::Server, |span| {
            let end = SystemTime::now().duration_since(UNIX_EPOCH);
            let end = end.unwrap_or_default().as_nanos() as u64;
            span.name = (&self.title).into();
            (span.start_unix_nanos, span.end_unix_nanos) = (end - 7_300_000, end);
            span.parent = Some(parent.span_id());
            span.parent_is_remote = true;
            let attributes = &mut span.attributes;
            attributes.push("http.request.method", black_box("GET"));
            attributes.push("url.scheme", black_box("http"));
            attributes.push_str("url.path", black_box(&self.path));
            attributes.push_str("http.route", black_box(self.route));
            attributes.push("network.protocol.version", black_box("1.1"));
            attributes.push_str("server.address", black_box(&self.host));
            attributes.push("server.port", black_box(8080_u16));
            attributes.push_str("user_agent.original", black_box(&self.user_agent));
            attributes.push_str("client.address", black_box(&self.client));
            attributes.push("http.response.status_code", black_box(200_u16));
        });
    }

    fn record_theirs(&self) {
        let span = tracing::info_span!(
            "request",
            otel.name = black_box(&*self.title),
            otel.kind = "server",
            http.request.method = black_box("GET"),
            url.scheme = black_box("http"),
            url.path = black_box(self.path.as_str()),
            http.route = black_box(self.route),
            network.protocol.version = black_box("1.1"),
            server.address = black_box(self.host.as_str()),
            server.port = black_box(8080),
            user_agent.original = black_box(self.user_agent.as_str()),
            client.address = black_box(self.client.as_str()),
            http.response.status_code = field::Empty,
        );
        span.in_scope(|| black_box(()));
        span.record("http.response.status_code", black_box(200));
    }
}

fn span(c: &mut Criterion) {
    let request = Request::new();
    for sampled in [false, true] {
        let name = if sampled {
            "span, sampled"
        } else {
            "span, unsampled"
        };
        let spans = Spans::new(Sampler::always_on());
        let trace_id = TraceId::random();
        let parent = TraceContext::new(trace_id, SpanId::random(), u8::from(sampled));
        let pause = |_| rounds::settle(&Logs::disabled(), &spans);
        let ours = || request.record(&spans, black_box(&parent));
        rounds::timed(10 * rounds::CALLS, pause, ours);
        pause(0);
        allocations::print(&format!("{name}/ours"), 256, ours);
        let mut group = c.benchmark_group(name);
        group.bench_function("ours", |b| {
            b.iter_custom(|times| rounds::timed(times, pause, ours));
        });

        let sampler = if sampled {
            PeerSampler::AlwaysOn
        } else {
            PeerSampler::AlwaysOff
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(PeerSampler::ParentBased(Box::new(sampler)))
            .with_batch_exporter(Nowhere)
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
        let subscriber = tracing_subscriber::registry().with(layer);
        let pause = |_| drop(provider.force_flush());
        let theirs = || request.record_theirs();
        with_default(subscriber, || {
            rounds::timed(10 * rounds::CALLS, pause, theirs);
            pause(0);
            allocations::print(&format!("{name}/tracing-opentelemetry"), 256, theirs);
            group.bench_function("tracing-opentelemetry", |b| {
                b.iter_custom(|times| rounds::timed(times, pause, theirs));
            });
        });
        group.finish();
        drop(provider.shutdown_with_timeout(Duration::from_secs(1)));
    }
}

criterion_group!(benches, span);
criterion_main!(benches);
