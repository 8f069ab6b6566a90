//! One subscriber, requests, spans and runtimes, as users combine them.
mod events;
mod request;
mod runtimes;

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
