//! What a trace costs: `traceparent` read and written, and the span of a request, sampled and not.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
};
use detectviz_benches::{request::request, rounds::settle};
use detectviz_core::telemetry::{
    context::{Slot, SpanId, TraceContext, TraceId},
    logs::Logs,
    span::{Sampler, SpanKind, Spans},
};
use detectviz_http::{
    head_scan::{Known, scan},
    propagation::{PropagationConfig, Propagators},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, SpanId as PeerSpanId, TraceContextExt, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{Sampler as PeerSampler, SdkTracerProvider, SpanData, SpanExporter},
};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tracing::{Dispatch, dispatcher::with_default, field};
use tracing_subscriber::layer::SubscriberExt;

/// Headers as opentelemetry-http lends them to a propagator.
struct Headers<'a>(&'a HeaderMap);

struct HeadersMut<'a>(&'a mut HeaderMap);

/// Drops what it is given.
#[derive(Debug)]
struct Nowhere;

/// What a layer knows of a request when it ends.
struct Request {
    title: Arc<str>,
    route: &'static str,
    path: String,
    host: String,
    user_agent: String,
    client: String,
}

pub(crate) fn rows(table: &mut Table) {
    if table.wants("traceparent, extract and span id") {
        extract(table);
    }
    for (name, fresh, must) in [
        ("traceparent, inject in its own place", false, 5.0),
        ("traceparent, inject without one", true, 5.0),
    ] {
        if table.wants(name) {
            inject(table, name, fresh, Bounds::parts(must, 6.0));
        }
    }
    if table.wants("head scan, 10 headers") {
        head_scan(table);
    }
    for (name, sampled, bounds) in [
        ("span, unsampled", false, Bounds::times(1.0 / 60.0, 0.0)),
        (
            "span, sampled, into the export ring",
            true,
            Bounds::parts(3.0, 5.0),
        ),
    ] {
        if table.wants(name) {
            span(table, name, sampled, bounds);
        }
    }
}

fn extract(table: &mut Table) {
    let headers = request(true).into_parts().0.headers;
    let propagators = Propagators::new(&PropagationConfig::default());
    let ours = Contestant::new("detectviz", || {
        let parent = propagators.extract(black_box(&headers)).parent;
        black_box(parent.map(|parent| parent.child()));
    });
    let peer = TraceContextPropagator::new();
    let theirs = Contestant::new("opentelemetry's propagator", || {
        let context = peer.extract_with_context(&Context::new(), &Headers(black_box(&headers)));
        let parent = context.span().span_context().clone();
        // Given, so that the peer's generator is not what is measured.
        let span = PeerSpanId::from(black_box(0x00f0_67aa_0ba9_02b7_u64));
        black_box(SpanContext::new(
            parent.trace_id(),
            span,
            parent.trace_flags(),
            true,
            parent.trace_state().clone(),
        ));
    });
    let row = Row::new("traceparent, extract and span id", ours);
    table.row(row.beside(theirs, Bounds::parts(6.0, 8.0)));
}

fn inject(table: &mut Table, name: &str, fresh: bool, bounds: Bounds) {
    let headers = request(true).into_parts().0.headers;
    let propagators = Propagators::new(&PropagationConfig::default());
    let parent = propagators.extract(&headers).parent;
    let slot = Slot::started_at(parent.expect("it has a parent"), Instant::now());
    let mut outgoing = HeaderMap::with_capacity(8);
    let ours = Contestant::new("detectviz", || {
        if fresh {
            outgoing.clear();
        }
        propagators.inject(&slot, black_box(&mut outgoing));
    });
    let peer = TraceContextPropagator::new();
    let context = peer.extract_with_context(&Context::new(), &Headers(&headers));
    let mut also = HeaderMap::with_capacity(8);
    let theirs = Contestant::new("opentelemetry's propagator", || {
        if fresh {
            also.clear();
        }
        peer.inject_context(&context, &mut HeadersMut(black_box(&mut also)));
    });
    table.row(Row::new(name, ours).beside(theirs, bounds));
}

fn head_scan(table: &mut Table) {
    let mut map = request(true).into_parts().0.headers;
    for n in map.len()..10 {
        let name = HeaderName::try_from(format!("x-forwarded-{n}"));
        map.insert(name.expect("a name"), HeaderValue::from_static("v"));
    }
    let names = Known::ALL.map(Known::name);
    let ours = Contestant::new("detectviz, one pass", || {
        let found = scan(black_box(&map));
        black_box(Known::ALL.map(|known| found.first(known).is_some()));
    });
    let look_ups = Contestant::new("http's HeaderMap::get, for each name", || {
        let map = black_box(&map);
        black_box(names.each_ref().map(|name| map.get(name).is_some()));
    });
    table.row(Row::new("head scan, 10 headers", ours).shown(look_ups));
}

fn span(table: &mut Table, name: &str, sampled: bool, bounds: Bounds) {
    let request = Request::new();
    let spans = Spans::new(Sampler::always_on());
    let parent = TraceContext::new(TraceId::random(), SpanId::random(), u8::from(sampled));
    let logs = Logs::disabled();
    let ours = Contestant::new("detectviz", || request.record(&spans, black_box(&parent)));
    let ours = ours.pause(|| settle(&logs, &spans));
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
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let theirs = Contestant::batches("tracing-opentelemetry", |calls| {
        with_default(&dispatch, || {
            (0..calls).for_each(|_| request.record_theirs());
        });
    });
    let theirs = theirs.pause(|| drop(provider.force_flush()));
    table.row(Row::new(name, ours).beside(theirs, bounds));
    drop(provider.shutdown_with_timeout(Duration::from_secs(1)));
}

// === impl Headers ===

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

// === impl HeadersMut ===

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(key.as_bytes()),
            HeaderValue::try_from(value),
        ) {
            self.0.insert(name, value);
        }
    }
}

// === impl Nowhere ===

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(batch);
        Ok(())
    }
}

// === impl Request ===

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
