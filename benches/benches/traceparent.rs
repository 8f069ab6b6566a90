//! What a trace costs at the door: `traceparent` read, a child span made, `traceparent` written; and one pass over the headers
//! beside separate look-ups.
use criterion::{Criterion, criterion_group, criterion_main};
use detectviz_benches::{allocations, request::request};
use detectviz_core::telemetry::context::Slot;
use detectviz_http::{
    head_scan::{Known, scan},
    propagation::{PropagationConfig, Propagators},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::{hint::black_box, time::Instant};

/// Headers as opentelemetry-http lends them to a propagator.
struct Headers<'a>(&'a HeaderMap);

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

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

fn extract(c: &mut Criterion) {
    let headers = request(true).into_parts().0.headers;
    let propagators = Propagators::new(&PropagationConfig::default());
    let ours = || {
        let parent = propagators.extract(black_box(&headers)).parent;
        black_box(parent.map(|parent| parent.child()));
    };
    let peer = TraceContextPropagator::new();
    let theirs = || {
        let context = peer.extract_with_context(&Context::new(), &Headers(black_box(&headers)));
        let parent = context.span().span_context().clone();
        // Given, so that the peer's generator is not what is measured.
        let span = SpanId::from(black_box(0x00f0_67aa_0ba9_02b7_u64));
        black_box(SpanContext::new(
            parent.trace_id(),
            span,
            parent.trace_flags(),
            true,
            parent.trace_state().clone(),
        ));
    };
    compare(c, "traceparent: extract and child", ours, theirs);
}

fn inject(c: &mut Criterion) {
    let headers = request(true).into_parts().0.headers;
    let propagators = Propagators::new(&PropagationConfig::default());
    let parent = propagators.extract(&headers).parent;
    let slot = Slot::started_at(parent.expect("it has a parent"), Instant::now());
    let peer = TraceContextPropagator::new();
    let context = peer.extract_with_context(&Context::new(), &Headers(&headers));
    for fresh in [false, true] {
        let mut outgoing = HeaderMap::with_capacity(8);
        let ours = || {
            if fresh {
                outgoing.clear();
            }
            propagators.inject(&slot, black_box(&mut outgoing));
        };
        let mut also = HeaderMap::with_capacity(8);
        let theirs = || {
            if fresh {
                also.clear();
            }
            peer.inject_context(&context, &mut HeadersMut(black_box(&mut also)));
        };
        let into = if fresh { "no headers" } else { "its own place" };
        compare(c, &format!("traceparent: inject into {into}"), ours, theirs);
    }
}

fn head_scan(c: &mut Criterion) {
    for headers in [5, 10, 20] {
        let mut map = request(true).into_parts().0.headers;
        for n in map.len()..headers {
            let name = HeaderName::try_from(format!("x-forwarded-{n}"));
            map.insert(name.expect("a name"), HeaderValue::from_static("v"));
        }
        let names = Known::ALL.map(Known::name);
        let mut group = c.benchmark_group(format!("head scan, {headers} headers"));
        group.bench_function("one pass", |b| {
            b.iter(|| {
                let found = scan(black_box(&map));
                black_box(Known::ALL.map(|known| found.first(known).is_some()));
            });
        });
        group.bench_function("look-ups", |b| {
            b.iter(|| {
                let map = black_box(&map);
                black_box(names.each_ref().map(|name| map.get(name).is_some()));
            });
        });
        group.finish();
    }
}

fn compare(c: &mut Criterion, name: &str, mut ours: impl FnMut(), mut theirs: impl FnMut()) {
    for _ in 0..1000 {
        ours();
        theirs();
    }
    allocations::print(&format!("{name}/ours"), 10_000, &mut ours);
    allocations::print(&format!("{name}/opentelemetry"), 10_000, &mut theirs);
    let mut group = c.benchmark_group(name);
    group.bench_function("ours", |b| b.iter(&mut ours));
    group.bench_function("opentelemetry", |b| b.iter(&mut theirs));
    group.finish();
}

criterion_group!(benches, extract, inject, head_scan);
criterion_main!(benches);
