//! gRPC says in the trailers how a call went.
use super::{support::Upstream, *};
use detectviz_core::{
    error::cause_ref,
    resilience::breaker::{BreakerConfig, Open},
    telemetry::span::{Sampler, Spans, ValueRef},
};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::sync::Notify;

type Frames = Vec<io::Result<Frame<Bytes>>>;

/// What follows the frames of an answer.
#[derive(Clone, Debug)]
enum Then {
    Ends,
    Flows,
    /// It breaks when it is told to.
    Breaks(Arc<Notify>),
}

fn answer(
    frames: Frames,
    then: Then,
) -> Response<impl http_body::Body<Data = Bytes, Error = io::Error>> {
    use futures_util::{StreamExt, stream};
    let more = !matches!(then, Then::Ends);
    let rest = stream::iter(more.then_some(then)).then(|then| async {
        if let Then::Breaks(now) = then {
            now.notified().await;
            return Err(io::Error::other("gone"));
        }
        std::future::pending().await
    });
    let mut response = Response::new(StreamBody::new(stream::iter(frames).chain(rest)));
    let kind = HeaderValue::from_static("application/grpc+proto");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn message() -> io::Result<Frame<Bytes>> {
    Ok(Frame::data(Bytes::from_static(b"message")))
}

fn status(code: &'static str) -> io::Result<Frame<Bytes>> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(code));
    Ok(Frame::trailers(trailers))
}

fn client(policy: PolicyConfig, spans: &Spans) -> Client {
    let config = ClientConfig::default().h2(true).policy(policy);
    let builder = ClientBuilder::new(config.total_timeout(Duration::from_millis(1500)));
    let builder = builder.with_spans(spans.clone());
    builder.build(&Tasks::new()).unwrap()
}

#[tokio::test]
async fn the_trailers_decide_what_the_breaker_learns_and_nothing_is_repeated() {
    for (code, opens) in [
        ("0", false),
        // The caller's fault.
        ("5", false),
        ("16", false),
        // The upstream's.
        ("2", true),
        ("13", true),
        ("14", true),
    ] {
        let came = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&came);
        let upstream = Upstream::serve(move |_| {
            count.fetch_add(1, SeqCst);
            async move { answer(vec![message(), status(code)], Then::Ends) }
        })
        .await;
        let breaker = BreakerConfig::default().consecutive_failures(3);
        let policy = PolicyConfig::default().breaker(breaker);
        let spans = Spans::new(Sampler::always_on());
        let client = client(policy, &spans);
        let mut refused = 0;
        for _ in 0..6 {
            match client.get(upstream.uri("/")).await {
                Ok(answer) => {
                    let whole = answer.into_body().collect().await.unwrap();
                    assert_eq!(whole.trailers().unwrap()["grpc-status"], code);
                }
                Err(err) => {
                    assert!(cause_ref::<Open>(&*err).is_some(), "{err}");
                    refused += 1;
                }
            }
        }
        let expected = if opens { (3, 3) } else { (6, 0) };
        assert_eq!((came.load(SeqCst), refused), expected, "{code}");
        let batch = spans.take(10).unwrap();
        let said = batch.spans()[0].attributes.value("rpc.grpc.status_code");
        assert_eq!(said, Some(ValueRef::I64(code.parse().unwrap())));
        batch.exported(0);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_failure_and_one_that_flows_on_is_none() {
    let breaks = Arc::new(Notify::new());
    for (then, reads, fails) in [
        (Then::Breaks(breaks.clone()), true, true),
        // Without trailers.
        (Then::Ends, true, true),
        // Streams: one is read until the time is up, one is let go.
        (Then::Flows, true, false),
        (Then::Flows, false, false),
    ] {
        let (first, case) = (Arc::new(AtomicUsize::new(0)), then.clone());
        let upstream = Upstream::serve(move |_| {
            let is_first = first.fetch_add(1, SeqCst) == 0;
            let then = then.clone();
            async move {
                if is_first {
                    return answer(vec![message()], then);
                }
                answer(vec![message(), status("0")], Then::Ends)
            }
        })
        .await;
        let breaker = BreakerConfig::default().consecutive_failures(1);
        let policy = PolicyConfig::default()
            .breaker(breaker)
            .attempt_timeout(Duration::from_millis(100));
        let client = client(policy, &Spans::disabled());
        let answer = client.get(upstream.uri("/")).await.unwrap();
        breaks.notify_one();
        if reads {
            let read = answer.into_body().collect().await;
            assert_eq!(read.is_ok(), matches!(case, Then::Ends), "{case:?}");
        } else {
            drop(answer);
        }
        let second = client.get(upstream.uri("/")).await;
        assert_eq!(second.is_err(), fails, "{case:?}, read: {reads}");
    }
}
