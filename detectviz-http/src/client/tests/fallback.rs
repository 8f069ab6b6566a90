//! What answers instead of an upstream that fails.
use super::{support::get, *};
use detectviz_core::{
    names::FALLBACK_CALLS,
    resilience::fallback::{Fallback, FallbackLayer},
    telemetry::{
        context::{NoteValue, Slot, TraceContext, current},
        metrics::{Registry, Value},
        span::{Sampler, Spans, ValueRef},
    },
};
use http::Response;
use std::future::ready;
use tower::Layer;

#[tokio::test]
async fn a_fallback_is_counted_and_noted_and_the_call_keeps_its_failure() {
    let (metrics, spans) = (Registry::new(), Spans::new(Sampler::always_on()));
    let builder = ClientBuilder::new(ClientConfig::default()).with_spans(spans.clone());
    let client = builder.build(&Tasks::new()).unwrap();
    let fallback = Fallback::with_metrics("prices", &metrics).on::<ConnectFailed>("connect");
    let other = |_| ready(Ok(Response::new(ResponseBody::from("[]"))));
    let client = FallbackLayer::new(fallback, other).layer(client);
    let request = get("127.0.0.1:1", "/prices");
    let served = Slot::new(TraceContext::root(true));
    let (answer, notes) = served
        .scope(async {
            let answer = client.oneshot(request).await.unwrap();
            (answer, current(|slot| slot.unwrap().notes.clone()))
        })
        .await;
    assert_eq!(text(answer).await, "[]");
    let noted: Vec<_> = notes
        .iter()
        .map(|note| (note.name, note.attribute))
        .collect();
    let reason = Some(("reason", NoteValue::Str("connect")));
    assert_eq!(noted, [("fallback", reason)]);
    let counted = metrics.snapshot();
    let counted = counted.value(FALLBACK_CALLS, &["prices", "connect", "answered"]);
    assert_eq!(counted, Some(&Value::Counter(1)));
    let batch = spans.take(10).unwrap();
    let failure = batch.spans()[0].attributes.value("error.type");
    assert!(matches!(failure, Some(ValueRef::Text(_))), "{failure:?}");
    batch.exported(0);
}
