use super::*;
use crate::{
    task::{RuntimeId, Tasks},
    telemetry::{
        context::{Slot, TraceContext},
        logs::{Logs, LogsConfig, Output},
        span::{Sampler, SpanRecord, SpanStatus, Spans},
    },
};
use serde_json::Value as Json;
use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};
use tracing::{
    Instrument, Span, debug, dispatcher, error, field, info, info_span, instrument::WithSubscriber,
    trace, warn,
};
use tracing_core::Dispatch;
use tracing_subscriber::{Layer, Registry, layer::SubscriberExt};

const SOON: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A runtime with outputs of its own, and a subscriber that only this test uses.
struct Bench {
    tasks: Tasks,
    logs: Logs,
    spans: Spans,
    capture: Capture,
    layer: TelemetryLayer,
    dispatch: Dispatch,
    _registration: Registration,
}

/// With a single dispatcher alive, tracing-core asks the one of the thread that changes something, which may have none.
static KEEP: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Dispatch::new(Registry::default())));

impl Bench {
    fn new(level: &str) -> Self {
        LazyLock::force(&KEEP);
        let subscriber = TelemetrySubscriber::new();
        let layer = subscriber.layer().clone();
        Self::with(level, layer, Dispatch::new(subscriber))
    }

    fn with(level: &str, layer: TelemetryLayer, dispatch: Dispatch) -> Self {
        let (tasks, capture) = (Tasks::new(), Capture::default());
        let config = LogsConfig {
            level: level.to_owned(),
            ..LogsConfig::default()
        };
        let logs = config
            .build("test", Output::new(capture.clone()), &tasks)
            .unwrap();
        let spans = Spans::new(Sampler::always_on());
        let outputs = Outputs::new(logs.clone(), spans.clone());
        let _registration = register(tasks.runtime(), outputs);
        Self {
            tasks,
            logs,
            spans,
            capture,
            layer,
            dispatch,
            _registration,
        }
    }

    /// Runs `work` in the runtime, with the subscriber in place.
    fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.tasks.runtime().enter();
        dispatcher::with_default(&self.dispatch, work)
    }

    /// What was logged here. The panics of other tests, whose threads work for no runtime, may come here too.
    fn lines(&self) -> Vec<Json> {
        self.all_lines()
            .into_iter()
            .filter(|line| line["target"] != "panic")
            .collect()
    }

    fn all_lines(&self) -> Vec<Json> {
        assert!(self.logs.flush(SOON));
        let text = String::from_utf8(self.capture.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn line(&self, message: &str) -> Json {
        let found = self
            .lines()
            .into_iter()
            .find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no line says {message}"))
    }

    fn exported(&self) -> Vec<SpanRecord> {
        self.spans
            .take(2048)
            .map_or_else(Vec::new, |batch| batch.spans().to_vec())
    }
}

fn request() -> Slot {
    Slot::new(TraceContext::root(true))
}

fn ids(line: &Json) -> (String, String) {
    (
        line["trace_id"].as_str().unwrap().to_owned(),
        line["span_id"].as_str().unwrap().to_owned(),
    )
}

fn ids_of(context: &TraceContext) -> (String, String) {
    (
        context.trace_id().to_string(),
        context.span_id().to_string(),
    )
}

#[test]
fn an_event_is_a_line_of_its_runtime() {
    let bench = Bench::new("info");
    bench.run(|| {
        info!(target: "my::target", n = 1, f = 1.5, yes = true, text = "a\nb", shown = %"c", big = u128::MAX, "hello {}", "you");
        warn!("no fields");
        info!(only = "fields");
        debug!("not logged");
    });
    let lines = bench.lines();
    assert_eq!(lines.len(), 3);
    let line = &lines[0];
    assert_eq!(
        (&line["level"], &line["target"]),
        (&"INFO".into(), &"my::target".into())
    );
    assert_eq!(
        (&line["message"], &line["service"]),
        (&"hello you".into(), &"test".into())
    );
    assert!(line["caller"].as_str().unwrap().contains("hub/tests.rs:"));
    assert_eq!(
        (&line["n"], &line["f"], &line["yes"]),
        (&1.into(), &1.5.into(), &true.into())
    );
    assert_eq!(
        (&line["text"], &line["shown"]),
        (&"a\nb".into(), &"c".into())
    );
    assert_eq!(line["big"], u128::MAX.to_string());
    assert!(line.get("trace_id").is_none());
    assert_eq!(
        (&lines[2]["message"], &lines[2]["only"]),
        (&"".into(), &"fields".into())
    );
}

#[test]
fn spans_are_children_of_the_request_and_give_their_fields_to_lines() {
    let bench = Bench::new("info");
    let slot = request();
    let context = slot.context;
    bench.run(|| {
        slot.sync_scope(|| {
            info!("in request");
            let outer = info_span!(
                "outer",
                user = "ann",
                level = "x",
                password = "hunter2",
                late = field::Empty
            );
            outer.in_scope(|| {
                outer.record("late", 7);
                let inner = info_span!("inner", user = "bob");
                inner.in_scope(|| info!(user = "event", "in inner"));
                error!("in outer");
                info!(parent: &inner, "named");
                info!(parent: None, "rootless");
            });
            info_span!(parent: None, "new root").in_scope(|| info!("in root"));
            debug_assert_eq!(current_context(), Some(context));
        });
    });
    let request_ids = ids_of(&context);
    assert_eq!(ids(&bench.line("in request")), request_ids);
    let (inner, outer, named) = (
        bench.line("in inner"),
        bench.line("in outer"),
        bench.line("named"),
    );
    assert_eq!(
        (
            &inner["user"],
            &inner["fields.user"],
            &inner["fields.user.2"]
        ),
        (&"event".into(), &"bob".into(), &"ann".into())
    );
    assert_eq!(
        (&outer["user"], &outer["fields.level"], &outer["late"]),
        (&"ann".into(), &"x".into(), &7.into())
    );
    assert_eq!(outer["password"], "[redacted]");
    assert_eq!(ids(&named), ids(&inner));
    assert!(bench.line("rootless").get("trace_id").is_none());
    assert_ne!(ids(&bench.line("in root")).0, request_ids.0);

    let exported = bench.exported();
    let span = |name: &str| {
        exported
            .iter()
            .find(|span| span.name.as_str() == name)
            .unwrap()
    };
    assert_eq!(exported.len(), 3);
    assert_eq!(ids_of(&span("outer").context), ids(&outer));
    assert_eq!(ids_of(&span("inner").context), ids(&inner));
    assert_eq!(span("outer").parent, Some(context.span_id()));
    assert_eq!(span("inner").parent, Some(span("outer").context.span_id()));
    assert_eq!(span("new root").parent, None);
    assert_eq!(span("outer").status, SpanStatus::Error("".into()));
    assert_eq!(span("inner").status, SpanStatus::Unset);
    let attributes = format!("{:?}", span("outer").attributes);
    assert!(
        attributes.contains("late") && !attributes.contains("hunter2"),
        "{attributes}"
    );
    assert!(
        exported
            .iter()
            .all(|span| span.end_unix_nanos >= span.start_unix_nanos && span.start_unix_nanos > 0)
    );
    assert_eq!(bench.layer.open_spans(), 0);
}

#[test]
fn a_request_inside_of_a_span_is_the_inner_one() {
    let bench = Bench::new("info");
    let slot = request();
    let context = slot.context;
    bench.run(|| {
        info_span!("worker", name = "w").in_scope(|| {
            slot.sync_scope(|| {
                info!("in request");
                assert_eq!(Span::current().metadata().unwrap().name(), "request");
                info_span!("in slot").in_scope(|| info!("in span"));
            });
            info!("in worker");
        });
    });
    assert_eq!(ids(&bench.line("in request")), ids_of(&context));
    assert_eq!(bench.line("in request")["name"], "w");
    assert_eq!(
        ids(&bench.line("in span")).0,
        context.trace_id().to_string()
    );
    assert_ne!(
        ids(&bench.line("in worker")).0,
        context.trace_id().to_string()
    );
}

#[test]
fn an_unsampled_span_is_logged_and_not_exported() {
    let bench = Bench::new("info");
    let slot = Slot::new(TraceContext::root(false));
    let trace = slot.context.trace_id().to_string();
    bench.run(|| slot.sync_scope(|| info_span!("quiet").in_scope(|| info!("said"))));
    assert_eq!(ids(&bench.line("said")).0, trace);
    assert!(bench.exported().is_empty());
}

#[test]
fn two_runtimes_stay_apart_under_one_subscriber() {
    let one = Bench::new("info");
    let two = Bench::with("debug,quiet=off", one.layer.clone(), one.dispatch.clone());
    let span = one.run(|| {
        debug!("one debug");
        info!("one info");
        info_span!("of one")
    });
    two.run(|| {
        debug!("two debug");
        info!(target: "quiet", "two quiet");
        let _in_span_of_one = span.enter();
        info!("two in a task of two within a span of one");
    });
    // A thread that works for no runtime: the span knows its own.
    dispatcher::with_default(&one.dispatch, || span.in_scope(|| info!("one elsewhere")));
    two.run(|| drop(span));
    let messages = |bench: &Bench| {
        bench
            .lines()
            .iter()
            .map(|line| line["message"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(messages(&one)[..1], ["one info"]);
    assert!(messages(&one).contains(&"one elsewhere".into()));
    assert_eq!(messages(&two)[..1], ["two debug"]);
    assert!(!messages(&two).contains(&"two quiet".into()));
    assert_eq!((one.exported().len(), two.exported().len()), (1, 0));
}

#[test]
fn levels_change_what_comes_through_while_running() {
    let bench = Bench::new("warn");
    let log = |n| bench.run(|| trace!(n, "seen?"));
    log(1);
    bench.logs.levels().set("trace").unwrap();
    log(2);
    bench.logs.levels().set("warn").unwrap();
    log(3);
    let seen = bench
        .lines()
        .iter()
        .filter(|line| line["message"] == "seen?")
        .map(|line| line["n"].clone())
        .collect::<Vec<_>>();
    assert_eq!(seen, [2]);
}

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

#[test]
fn on_a_foreign_registry_the_layer_filters_for_itself_alone() {
    #[derive(Clone, Default)]
    struct Count(Arc<Mutex<usize>>);
    impl Layer<Registry> for Count {
        fn on_event(
            &self,
            _: &tracing::Event<'_>,
            _: tracing_subscriber::layer::Context<'_, Registry>,
        ) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let (layer, count) = (TelemetryLayer::new(), Count::default());
    let dispatch = Dispatch::new(
        tracing_subscriber::registry()
            .with(count.clone())
            .with(layer.clone()),
    );
    let bench = Bench::with("info", layer, dispatch);
    let slot = request();
    let expected = ids_of(&slot.context);
    bench.run(|| {
        slot.sync_scope(|| {
            debug!("too low");
            info!("said");
            let _quiet = tracing::debug_span!("quiet").entered();
            info_span!("loud", n = 1).in_scope(|| info!("in loud"));
        });
    });
    assert_eq!(*count.0.lock().unwrap(), 3);
    assert_eq!(bench.lines().len(), 2);
    assert_eq!(ids(&bench.line("said")), expected);
    assert_eq!(bench.line("in loud")["n"], 1);
    assert_eq!(bench.exported().len(), 1);
    assert_eq!(bench.layer.open_spans(), 0);
}

#[test]
fn a_panic_is_a_line_of_its_request() {
    install_panic_hook();
    install_panic_hook();
    let bench = Bench::new("info");
    let slot = request();
    let expected = ids_of(&slot.context);
    bench.run(|| {
        let panicked = std::panic::catch_unwind(|| slot.sync_scope(|| panic!("on \n purpose")));
        assert!(panicked.is_err());
    });
    let mut lines = bench.all_lines();
    lines.retain(|line| line["message"] == "on \n purpose");
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["level"], &lines[0]["message"]),
        (&"ERROR".into(), &"on \n purpose".into())
    );
    assert!(
        lines[0]["caller"]
            .as_str()
            .unwrap()
            .contains("hub/tests.rs:")
    );
    assert_eq!(ids(&lines[0]), expected);
    assert!(lines[0]["thread"].is_string());
}

#[test]
fn what_belongs_to_no_runtime_that_is_registered_goes_nowhere_or_to_the_first() {
    let bench = Bench::new("info");
    let gone = RuntimeId::next();
    drop(register(
        gone,
        Outputs::new(bench.logs.clone(), Spans::disabled()),
    ));
    dispatcher::with_default(&bench.dispatch, || {
        let _entered = bench.tasks.runtime().enter();
        info!("own");
    });
    assert_eq!(bench.lines().len(), 1);
}
