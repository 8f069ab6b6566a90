use super::*;
use crate::telemetry::context::{NoteValue, Slot, SpanId, TraceContext, TraceId, current, note};
use proptest::prelude::*;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Barrier},
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

fn span(sampled: bool) -> SpanRecord {
    SpanRecord::new(TraceContext::root(sampled), SpanKind::Server, "s", 1, 2)
}

fn trace_id(low: u64) -> TraceId {
    TraceId::from_bytes((1_u128 << 64 | u128::from(low)).to_be_bytes()).unwrap()
}

#[test]
fn a_root_is_sampled_by_the_low_bytes_of_its_trace_id() {
    // The threshold of 0.5 is 2^62 of 2^63; the lowest bit of the id does not count.
    for (share, low, sampled) in [
        (0.0, 0, false),
        (1.0, u64::MAX, true),
        (2.0, u64::MAX, true),
        (-1.0, 0, false),
        (f64::NAN, 0, false),
        (0.5, (1 << 63) - 1, true),
        (0.5, 1 << 63, false),
        (0.25, (1 << 62) - 1, true),
        (0.25, 1 << 62, false),
        (1e-300, 0, false),
    ] {
        let sampler = Sampler::ratio(share);
        assert_eq!(
            sampler.sample_root(trace_id(low)),
            sampled,
            "{share} {low:x}"
        );
    }
    assert!(Sampler::always_on().sample_root(trace_id(u64::MAX)));
    assert!(!Sampler::always_off().sample_root(trace_id(0)));
}

#[test]
fn a_child_follows_its_parent_unless_told_otherwise() {
    for (sampler, parent, low, sampled) in [
        (Sampler::always_off(), true, 0, true),
        (Sampler::always_on(), false, 0, false),
        (Sampler::ratio(0.5), true, u64::MAX, true),
        (Sampler::always_off().ignoring_parent(), true, 0, false),
        (Sampler::always_on().ignoring_parent(), false, 0, true),
        (Sampler::ratio(0.5).ignoring_parent(), true, u64::MAX, false),
    ] {
        let span_id = SpanId::from_bytes([1; 8]).unwrap();
        let context = TraceContext::new(trace_id(low), span_id, u8::from(parent));
        assert_eq!(sampler.sample_child(&context), sampled, "{sampler:?}");
        let spans = Spans::new(sampler);
        assert_eq!(spans.sample_child(&context), sampled);
        assert_eq!(
            spans.sample_root(context.trace_id()),
            sampler.sample_root(context.trace_id())
        );
    }
    let disabled = Spans::disabled();
    assert!(!disabled.sample_root(TraceId::random()) && !disabled.is_recording());
    assert!(disabled.sample_child(&TraceContext::root(true)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ratio_samples_its_share_and_the_larger_ratio_samples_a_superset(
        seed: u64,
        share in 0.0..=1.0_f64,
        more in 0.0..=1.0_f64,
    ) {
        const N: u32 = 100_000;
        let mut random = fastrand::Rng::with_seed(seed);
        let (lower, upper) = (share.min(more), share.max(more));
        let (small, large) = (Sampler::ratio(lower), Sampler::ratio(upper));
        let mut sampled = 0_u32;
        for _ in 0..N {
            let id = trace_id(random.u64(..));
            let one = small.sample_root(id);
            prop_assert_eq!(one, Sampler::ratio(lower).sample_root(id));
            prop_assert!(!one || large.sample_root(id));
            sampled += u32::from(one);
        }
        // Five standard deviations.
        let tolerance = 5.0 * (f64::from(N) * lower * (1.0 - lower)).sqrt() + 1.0;
        prop_assert!((f64::from(sampled) - f64::from(N) * lower).abs() <= tolerance, "{sampled} of {lower}");
    }

    #[test]
    fn text_is_cut_between_characters(text: String) {
        let inline = Text::inline(&text);
        prop_assert!(text.starts_with(inline.as_str()));
        prop_assert!(inline.as_str().len() + 4 > text.len().min(InlineText::CAPACITY));
        let mut attributes = Attributes::new();
        for _ in 0..3 {
            attributes.push_str("k", &text.repeat(8));
        }
        for (_, value) in attributes.iter() {
            let ValueRef::Text(kept) = value else { panic!("not a text") };
            prop_assert!(text.repeat(8).starts_with(kept));
        }
    }
}

#[test]
fn attributes_are_read_back_in_order_and_overflow_is_counted() {
    let mut attributes = Attributes::new();
    attributes.push("a", "static");
    attributes.push("b", 7);
    attributes.push("c", 0.5);
    attributes.push("d", true);
    attributes.push_str("e", "copied");
    attributes.push("f", Arc::<str>::from("shared"));
    attributes.set("b", 8);
    attributes.set("g", "new");
    let read = attributes.iter().collect::<Vec<_>>();
    assert_eq!(
        read,
        [
            ("a", ValueRef::Text("static")),
            ("b", ValueRef::I64(8)),
            ("c", ValueRef::F64(0.5)),
            ("d", ValueRef::Bool(true)),
            ("e", ValueRef::Text("copied")),
            ("f", ValueRef::Text("shared")),
            ("g", ValueRef::Text("new")),
        ]
    );
    assert_eq!((attributes.dropped(), attributes.len()), (0, 7));
    for _ in 0..20 {
        attributes.push("more", 1);
    }
    attributes.push_str("more", "text");
    assert_eq!((attributes.dropped(), attributes.len()), (12, 16));
}

#[test]
fn copied_texts_share_512_bytes() {
    let mut attributes = Attributes::new();
    attributes.push_str("short", "0123456789");
    attributes.push_str("long", &"é".repeat(400));
    assert_eq!(attributes.dropped(), 1, "cut short");
    let Some(ValueRef::Text(kept)) = attributes.value("long") else {
        panic!("it is kept")
    };
    assert_eq!(kept.len(), 502);
    attributes.push_str("none", "x");
    attributes.push_str("empty", "");
    attributes.push("long.shared", Arc::<str>::from("y".repeat(1_000)));
    assert_eq!(attributes.dropped(), 3, "two were left out");
    assert_eq!(attributes.value("empty"), Some(ValueRef::Text("")));
    assert_eq!(attributes.value("none"), None);
}

#[test]
fn events_are_capped_in_number_and_size() {
    let mut events = Events::new();
    for at in 0..10 {
        let event = Event::new(at, "exception").attribute("message", "m".repeat(600));
        events.push((0..5).fold(event, |event, n| event.attribute("n", n)));
    }
    assert_eq!((events.as_slice().len(), events.dropped()), (8, 2));
    let event = &events.as_slice()[7];
    assert_eq!((event.time_unix_nanos, event.attributes().len()), (7, 4));
    assert_eq!(event.dropped(), 3, "one cut short, two left out");
    assert_eq!(event.attributes()[0].1, Value::from("m".repeat(512)));
}

#[test]
fn a_full_queue_drops_and_counts() {
    let spans = Spans::with_sizes(Sampler::always_on(), 8, 4);
    for _ in 0..20 {
        spans.record(span(true));
        spans.record(span(false));
    }
    let counts = spans.counts();
    assert_eq!(
        (counts.produced, counts.queue_full, counts.pending()),
        (20, 12, 8)
    );
    let batch = spans.take(5).unwrap();
    assert_eq!(batch.len(), 5);
    batch.exported(2);
    spans.take(1).unwrap().failed();
    drop(spans.take(1).unwrap());
    spans.close();
    spans.record(span(true));
    let counts = spans.counts();
    let expected = SpanCounts {
        produced: 21,
        exported: 3,
        queue_full: 12,
        export_failed: 1,
        rejected: 2,
        shutdown: 3,
        late: 1,
    };
    assert_eq!(counts, expected);
    assert_eq!(counts.produced, counts.exported + counts.dropped());
    assert!(spans.take(1).is_none());
}

#[test]
fn the_queue_keeps_order_over_many_rounds() {
    let spans = Spans::with_sizes(Sampler::always_on(), 3, 1);
    let mut next = 0;
    for at in 0..100_u64 {
        let mut one = span(true);
        one.start_unix_nanos = at;
        spans.record(one);
        if at % 3 == 2 {
            for one in spans.take(3).unwrap().spans() {
                assert_eq!(one.start_unix_nanos, next);
                next += 1;
            }
        }
    }
    assert_eq!((next, spans.waiting()), (99, 1));
}

#[test]
fn an_exporter_is_woken_by_a_full_batch() {
    let spans = Spans::with_sizes(Sampler::always_on(), 8, 2);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        let mut ready = std::pin::pin!(spans.batch_ready());
        assert!(ready.as_mut().poll(&mut cx).is_pending());
        spans.record(span(true));
        assert!(ready.as_mut().poll(&mut cx).is_pending());
        spans.record(span(true));
        assert!(ready.as_mut().poll(&mut cx).is_ready());
        assert_eq!(spans.take(8).unwrap().len(), 2);
    }
}

#[test]
fn every_span_of_many_threads_is_accounted_for() {
    const THREADS: u64 = 4;
    const EACH: u64 = 20_000;
    let spans = Spans::with_sizes(Sampler::always_on(), 64, 16);
    let start = Barrier::new(usize::try_from(THREADS).unwrap() + 1);
    let produce = &|thread| {
        start.wait();
        for n in 0..EACH {
            let mut one = span(true);
            (one.start_unix_nanos, one.end_unix_nanos) = (thread, n);
            spans.record(one);
        }
    };
    let (mut seen, mut latest) = (0, [None; THREADS as usize]);
    thread::scope(|scope| {
        let threads = (0..THREADS)
            .map(|thread| scope.spawn(move || produce(thread)))
            .collect::<Vec<_>>();
        start.wait();
        while seen < THREADS * EACH / 4 && threads.iter().any(|thread| !thread.is_finished()) {
            let Some(batch) = spans.take(16) else {
                continue;
            };
            for one in batch.spans() {
                let latest = &mut latest[usize::try_from(one.start_unix_nanos).unwrap()];
                assert!(*latest < Some(one.end_unix_nanos), "twice, or out of order");
                *latest = Some(one.end_unix_nanos);
            }
            seen += batch.len() as u64;
            batch.exported(0);
        }
        // Closing while producers still run loses none of the account.
        spans.close();
    });
    let counts = spans.counts();
    assert_eq!((counts.produced, counts.exported), (THREADS * EACH, seen));
    assert_eq!(counts.produced, counts.exported + counts.dropped());
    assert_eq!(spans.waiting(), 0);
}

#[test]
fn a_span_is_as_large_as_documented() {
    let size = size_of::<SpanRecord>();
    assert!((1_300..=1_400).contains(&size), "{size}");
    assert_eq!((size_of::<Text>(), size_of::<SpanName>()), (24, 64));
}

#[test]
fn a_span_is_written_where_it_waits() {
    let spans = Spans::with_sizes(Sampler::always_on(), 2, 1);
    let unsampled = TraceContext::root(false);
    spans.record_with(unsampled, SpanKind::Server, |_| panic!("not called"));
    // Over two laps, so that each slot is written twice.
    for n in 0..4 {
        let context = TraceContext::root(true);
        let mut expected = SpanRecord::new(context, SpanKind::Client, "n", n, n + 1);
        expected.attributes.push("n", i64::try_from(n).unwrap());
        expected.attributes.push_str("text", "copied");
        expected.status = SpanStatus::Error(Text::inline("why"));
        spans.record_with(context, SpanKind::Client, |record| {
            let empty = SpanRecord::new(context, SpanKind::Client, "", 0, 0);
            assert_eq!(*record, empty, "nothing is left of an earlier one");
            *record = expected.clone();
        });
        let batch = spans.take(2).unwrap();
        assert_eq!(batch.spans(), [expected]);
    }
    for _ in 0..2 {
        spans.record(span(true));
    }
    let full = TraceContext::root(true);
    spans.record_with(full, SpanKind::Server, |_| panic!("not called"));
    assert_eq!((spans.counts().produced, spans.counts().queue_full), (7, 1));
}

#[test]
fn a_span_whose_maker_panics_goes_out_as_it_is() {
    let spans = Spans::with_sizes(Sampler::always_on(), 2, 1);
    for _ in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let context = TraceContext::root(true);
            spans.record_with(context, SpanKind::Server, |record| {
                record.name = "half".into();
                panic!("on purpose");
            });
        }));
        assert!(panicked.is_err());
        let batch = spans.take(2).unwrap();
        assert_eq!(batch.spans()[0].name.as_str(), "half");
        batch.exported(0);
    }
    let counts = spans.counts();
    assert_eq!(
        (counts.produced, counts.exported, counts.pending()),
        (3, 3, 0)
    );
}

#[test]
fn a_name_of_usual_length_is_copied_and_a_longer_one_is_shared() {
    for (length, copied) in [(0, true), (1, true), (62, true), (63, false), (500, false)] {
        let name: Arc<str> = "n".repeat(length).into();
        let kept = SpanName::from(&name);
        assert_eq!(kept.as_str(), &*name);
        assert_eq!(Arc::strong_count(&name) == 1, copied, "{length}");
    }
}

#[test]
fn what_was_noted_becomes_events() {
    let slot = Slot::new(TraceContext::root(true));
    let started = slot.started;
    let at = |millis| started + Duration::from_millis(millis);
    let notes = slot.sync_scope(|| {
        note(at(2), "retry", Some(("attempt", NoteValue::U64(u64::MAX))));
        note(
            at(3),
            "breaker.open",
            Some(("upstream", NoteValue::Str("shop"))),
        );
        note(at(12), "late", None);
        current(|slot| slot.map(|slot| slot.notes.clone())).unwrap()
    });
    let mut events = Events::new();
    events.push_notes(&[], Instant::now(), 0);
    assert!(events.as_slice().is_empty());
    events.push_notes(&notes, at(10), 1_000_000_000);
    let expected = [
        Event::new(992_000_000, "retry").attribute("attempt", i64::MAX),
        Event::new(993_000_000, "breaker.open").attribute("upstream", "shop"),
        Event::new(1_002_000_000, "late"),
    ];
    assert_eq!(events.as_slice(), expected);
    for _ in 0..4 {
        events.push_notes(&notes, at(10), 0);
    }
    assert_eq!((events.as_slice().len(), events.dropped()), (8, 7));
}
