//! The request as the current span.
use super::*;

#[test]
fn the_span_of_a_request_is_made_when_asked_for_and_nothing_is_left() {
    let bench = Bench::new("info");
    bench.run(|| {
        let slot = request();
        slot.clone().sync_scope(|| {
            info!("nobody asks");
            assert_eq!(bench.layer.open_spans(), 0);
            let current = Span::current();
            assert_eq!(bench.layer.open_spans(), 1);
            let other = current.clone();
            drop(current);
            assert_eq!(bench.layer.open_spans(), 1);
            drop(other);
            assert_eq!(bench.layer.open_spans(), 0);
            for _ in 0..1000 {
                drop(Span::current());
            }
            assert_eq!(bench.layer.open_spans(), 0);
            // Who only looks shares one span with the next who does, and it goes with the next who takes it.
            for _ in 0..3 {
                dispatcher::get_default(|dispatch| assert!(dispatch.current_span().id().is_some()));
            }
            assert_eq!(bench.layer.open_spans(), 1);
            drop(Span::current());
            assert_eq!(bench.layer.open_spans(), 0);
            dispatcher::get_default(|dispatch| assert!(dispatch.current_span().id().is_some()));
            assert_eq!(bench.layer.open_spans(), 1);
        });
        request().sync_scope(|| drop(Span::current()));
        assert_eq!(bench.layer.open_spans(), 0);
        assert!(Span::current().is_none());
    });
    assert!(bench.exported().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lg5_every_line_has_the_ids_of_its_request_also_across_spawn() {
    const REQUESTS: u64 = 10_000;
    let bench = Bench::new("info");
    let mut running = tokio::task::JoinSet::new();
    for n in 0..REQUESTS {
        let (slot, runtime, dispatch) = (request(), bench.tasks.runtime(), bench.dispatch.clone());
        let trace = slot.context.trace_id().to_string();
        let handler = async move {
            info!(n, trace, "begun");
            tokio::task::yield_now().await;
            let part = async {
                tokio::task::yield_now().await;
                info!(n, "in span");
            };
            part.instrument(info_span!("part", part = n)).await;
            let spawned = async move {
                tokio::task::yield_now().await;
                info!(n, "spawned");
                info_span!("deeper").in_scope(|| info!(n, "deeper"));
            };
            let spawned = spawned.in_current_span().with_current_subscriber();
            #[expect(clippy::disallowed_methods, reason = "what a user's handler does")]
            let spawned = tokio::spawn(spawned);
            tokio::task::yield_now().await;
            info!(n, "ended");
            spawned.await.unwrap();
        };
        running.spawn(runtime.scope(slot.scope(handler)).with_subscriber(dispatch));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    let lines = bench.lines();
    assert_eq!(lines.len() as u64, REQUESTS * 5);
    let mut expected = std::collections::HashMap::new();
    for line in lines.iter().filter(|line| line["message"] == "begun") {
        assert_eq!(line["trace_id"], line["trace"]);
        expected.insert(line["n"].as_u64().unwrap(), ids(line));
    }
    let mismatches = lines.iter().filter(|line| {
        let (trace, span) = &expected[&line["n"].as_u64().unwrap()];
        let same_span = line["span_id"] == span.as_str();
        let is_request = !matches!(line["message"].as_str(), Some("in span" | "deeper"));
        line["trace_id"] != trace.as_str() || same_span != is_request
    });
    assert_eq!(mismatches.count(), 0);
    assert_eq!(bench.logs.dropped(tracing::Level::INFO), 0);
    let parents = bench.exported();
    assert!(parents.iter().all(|span| span.parent.is_some()));
}

#[test]
fn a_value_that_logs_while_a_span_records_it_does_not_lock_up() {
    // Under a scoped dispatcher tracing drops what is logged meanwhile, under the global one it does not: so, directly.
    struct Chatty(Dispatch);
    impl fmt::Debug for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let metadata = &layer::REQUEST_SPAN;
            self.0.event(&tracing::Event::new(
                metadata,
                &metadata.fields().value_set_all(&[]),
            ));
            f.write_str("chatty")
        }
    }
    let bench = Bench::new("info");
    let chatty = Chatty(bench.dispatch.clone());
    bench.run(|| {
        let span = info_span!("span", value = ?chatty, late = field::Empty);
        span.in_scope(|| {
            span.record("late", field::debug(&chatty));
            info!(own = ?chatty, "outer");
        });
    });
    assert_eq!(bench.lines().len(), 4);
    assert_eq!(bench.line("outer")["late"], "chatty");
}
