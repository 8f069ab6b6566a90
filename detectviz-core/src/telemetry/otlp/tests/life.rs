//! From the start to the end of an exporter.
use super::*;
use std::sync::{Mutex, atomic::Ordering};
use tokio::time::{Instant, sleep};
use tracing::{Event, Metadata, Subscriber, span as tracing_span};

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once_and_a_small_one_after_the_delay() {
    for protocol in BOTH {
        let rig = Rig::start(traces(protocol), []).await;
        let began = Instant::now();
        rig.record(600);
        sleep(Duration::from_millis(100)).await;
        rig.record(3);
        sleep(Duration::from_secs(6)).await;
        let seen = rig.receiver.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!((seen[0].spans().len(), seen[1].spans().len()), (512, 91));
        assert!(seen[0].at - began < Duration::from_millis(100));
        let waited = (seen[1].at - began).as_secs_f64();
        assert!((5.0..5.1).contains(&waited), "{waited:?}");
        assert_eq!(rig.flush(SECOND).await.exported, 603);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_collector_costs_no_more_than_the_queue() {
    for protocol in BOTH {
        let rig = Rig::start(traces(protocol), []).await;
        rig.receiver.dead.store(true, Ordering::Relaxed);
        for _ in 0..10 {
            rig.record(1_000);
            sleep(SECOND).await;
            assert!(rig.spans.waiting() <= Spans::QUEUE);
        }
        let counts = rig.spans.counts();
        assert_eq!((counts.produced, counts.pending()), (10_000, 2_048 + 512));
        assert_eq!(counts.queue_full, 10_000 - 2_048 - 512);
        rig.receiver.dead.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(30)).await;
        let counts = rig.flush(SECOND).await;
        assert_eq!(counts.exported, 2_048 + 512, "what waited arrives");
        let received = rig.receiver.spans();
        assert_eq!(received.len(), 2_048 + 512);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_takes_its_time_and_no_more() {
    for protocol in BOTH {
        for (replies, dead, told_after, exported, at_most) in [
            (vec![], false, 0, 3, 0.1),
            (vec![Reply::Hang; 9], false, 0, 0, 2.001),
            // Told in the middle of a request that hangs.
            (vec![Reply::Hang; 9], false, 7, 0, 2.001),
            (vec![Reply::Status(503, None); 9], false, 0, 0, 0.1),
            // Told while it waits to try again: one last attempt.
            (vec![Reply::Status(503, None)], false, 6, 3, 0.1),
            (vec![Reply::Status(503, None); 9], false, 6, 0, 0.1),
            // A wait that the server asked for is kept, if there is time for it.
            (vec![Reply::Status(503, Some("2"))], false, 6, 3, 1.1),
            (vec![Reply::Status(503, Some("20"))], false, 6, 0, 0.1),
            (vec![], true, 0, 0, 0.1),
        ] {
            let grpc_has_no_such_header = replies
                .iter()
                .any(|reply| matches!(reply, Reply::Status(_, Some(_))));
            if protocol == Protocol::Grpc && grpc_has_no_such_header {
                continue;
            }
            let about = format!("{protocol:?} {replies:?} dead: {dead} after {told_after}");
            let rig = Rig::start(traces(protocol), replies).await;
            rig.receiver.dead.store(dead, Ordering::Relaxed);
            rig.record(3);
            sleep(Duration::from_secs(told_after)).await;
            let began = Instant::now();
            let counts = rig.flush(2 * SECOND).await;
            assert!(
                began.elapsed().as_secs_f64() <= at_most,
                "{about} {:?}",
                began.elapsed()
            );
            assert_eq!(
                (counts.exported, counts.shutdown),
                (exported, 3 - exported),
                "{about}"
            );
            rig.record(1);
            assert_eq!(rig.spans.counts().shutdown, counts.shutdown + 1, "too late");
            drop(rig.exporter);
            rig.tasks.cancel();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_or_dropped_exporter_leaves_no_span_uncounted() {
    for drop_it in [true, false] {
        let rig = Rig::start(traces(Protocol::HttpProtobuf), vec![Reply::Hang; 9]).await;
        rig.record(600);
        sleep(SECOND).await;
        let spans = rig.spans.clone();
        if drop_it {
            drop(rig);
        } else {
            rig.tasks.cancel();
        }
        sleep(SECOND).await;
        spans.record(span());
        let counts = spans.counts();
        assert_eq!((counts.produced, counts.shutdown), (601, 601));
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_go_at_their_interval_and_once_more_at_the_end() {
    for protocol in BOTH {
        let mut config = OtlpConfig {
            enabled: true,
            protocol,
            ..OtlpConfig::default()
        };
        config.traces.enabled = false;
        let replies = [
            Reply::Accept,
            Reply::Status(400, None),
            Reply::Partial(1, "old"),
        ];
        let rig = Rig::start(config, replies).await;
        assert!(!rig.spans.is_recording());
        let began = Instant::now();
        sleep(Duration::from_secs(190)).await;
        rig.flush(SECOND).await;
        let seen = rig.receiver.seen();
        let times = seen.iter().map(|seen| (seen.at - began).as_secs());
        assert_eq!(times.collect::<Vec<_>>(), [60, 120, 180, 190]);
        let points = rig.exporter.points();
        assert_eq!((points.produced, points.exported), (4, 2));
        assert_eq!((points.export_failed, points.rejected), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_disabled_exporter_sends_nothing() {
    let rig = Rig::start(OtlpConfig::default(), []).await;
    assert!(!rig.spans.is_recording());
    rig.record(3);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(rig.flush(SECOND).await, SpanCounts::default());
    assert!(rig.receiver.seen().is_empty());
}

/// Notes the events of this thread.
#[derive(Default)]
struct Noted {
    ours: Mutex<Vec<String>>,
    foreign: Mutex<Vec<&'static str>>,
}

#[derive(Clone, Default)]
struct Note(Arc<Noted>);

impl Note {
    fn foreign(&self, metadata: &'static Metadata<'static>) {
        self.0.foreign.lock().unwrap().push(metadata.target());
    }
}

impl Subscriber for Note {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &tracing_span::Attributes<'_>) -> tracing_span::Id {
        // Spans of the exchange would be exported, and so on for ever.
        self.foreign(span.metadata());
        tracing_span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing_span::Id, _: &tracing_span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing_span::Id, _: &tracing_span::Id) {}
    fn event(&self, event: &Event<'_>) {
        if event.metadata().target().starts_with("detectviz") {
            let mut text = format!("{}", event.metadata().level());
            event.record(
                &mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                    text.push_str(&format!(" {}={value:?}", field.name()));
                },
            );
            self.0.ours.lock().unwrap().push(text);
        } else {
            self.foreign(event.metadata());
        }
    }
    fn enter(&self, _: &tracing_span::Id) {}
    fn exit(&self, _: &tracing_span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn trouble_is_reported_once_and_the_exchange_itself_not_at_all() {
    for protocol in BOTH {
        let note = Note::default();
        let _guard = tracing::subscriber::set_default(note.clone());
        let mut replies = vec![Reply::Status(503, None); 3];
        replies.extend([Reply::Status(400, None), Reply::Accept, Reply::Accept]);
        replies.extend([Reply::Partial(1, "too\nold"), Reply::Partial(1, "older")]);
        let rig = Rig::start(traces(protocol), replies).await;
        for _ in 0..20 {
            rig.record(1);
            sleep(Duration::from_secs(6)).await;
        }
        rig.flush(SECOND).await;
        let ours = note.0.ours.lock().unwrap().clone();
        let about = format!("{ours:#?}");
        assert_eq!(ours.len(), 4, "{about}");
        for (line, (level, parts)) in ours.iter().zip([
            ("WARN", ["503 Service Unavailable", "otlp.endpoint"]),
            ("INFO", ["accepts exports again", "signal=\"traces\""]),
            ("WARN", ["too old", "in part"]),
            ("INFO", ["accepts exports again", "localhost:431"]),
        ]) {
            assert!(line.starts_with(level), "{about}");
            assert!(parts.iter().all(|part| line.contains(part)), "{about}");
        }
        let foreign = note.0.foreign.lock().unwrap().clone();
        assert_eq!(foreign, Vec::<&str>::new(), "hyper and h2 stay silent");
    }
}
