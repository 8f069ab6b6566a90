//! A log line allocates nothing on a warm thread: of a template, of an event, and of a user's `tracing` event.
use detectviz_benches::allocations::so_far;
use detectviz_core::{
    task::Tasks,
    telemetry::{
        context::{Slot, TraceContext},
        hub::{self, Outputs},
        logs::{Caller, Key, LogFormat, Logs, LogsConfig, Output},
        span::{Sampler, Spans},
    },
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tracing::{Level, field, info, info_span};

/// Lines that warm up the thread and its buffers, and as many that are counted.
const ROUNDS: usize = 1000;

/// The most that one of the warm calls of `write` allocated.
fn most(logs: &Logs, write: impl Fn()) -> u64 {
    let mut most = 0;
    for round in 0..2 * ROUNDS {
        // The buffers of the log grow to what waits in them; the writer is kept from falling behind.
        if round % 50 == 0 {
            assert!(logs.flush(Duration::from_secs(10)));
        }
        let before = so_far();
        write();
        let after = so_far();
        if round >= ROUNDS {
            most = most.max(after - before);
        }
    }
    most
}

fn logs(tasks: &Tasks, format: LogFormat) -> Logs {
    let mut config = LogsConfig::default();
    config.format = format;
    let logs = config.build("shop", Output::new(io::sink()), tasks);
    logs.expect("the log starts")
}

#[test]
fn a_line_of_a_template_or_of_an_event_allocates_nothing() {
    static PATH: Key = Key::new("path");
    static AGENT: Key = Key::new("user_agent");
    static TOKEN: Key = Key::new("token");
    static DURATION: Key = Key::new("duration_ms");
    static PEER: Key = Key::new("peer");
    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/117.0";
    let tasks = Tasks::new();
    let trace = TraceContext::root(true);
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    for format in [LogFormat::Json, LogFormat::Text] {
        let logs = logs(&tasks, format);
        let (level, target, caller) = (Level::INFO, "http.access", Caller::here());
        let template = logs.template(level, target, caller, "GET /orders/{id}", |fields| {
            fields.str("method", "GET");
        });
        let suffix = logs.message_suffix(" 200");
        let counted = most(&logs, || {
            let entry = logs.entry(&template).suffix(&suffix).trace(Some(&trace));
            entry.write(Instant::now(), |values| {
                values.str(&PATH, "/orders/\"7\"?token=hunter2");
                values.str(&TOKEN, "hunter2");
                values.millis(&DURATION, Duration::from_micros(1234));
                values.addr(&PEER, peer);
                values.str(&AGENT, FIREFOX);
            });
        });
        assert_eq!(counted, 0, "template, {format:?}");
        let counted = most(&logs, || {
            logs.event(
                level,
                target,
                caller,
                Some(&trace),
                "GET /orders/{id} 200",
                |fields| {
                    fields.str("method", "GET");
                    fields.str("path", "/orders/\"7\"?token=hunter2");
                    fields.str("token", "hunter2");
                    fields.f64("duration_ms", 1.234);
                    fields.display("peer", &peer);
                    fields.str("user_agent", FIREFOX);
                },
            );
        });
        assert_eq!(counted, 0, "event, {format:?}");
    }
    tasks.cancel();
}

#[test]
fn a_users_event_within_a_request_and_a_span_allocates_nothing() {
    let tasks = Tasks::new();
    let _entered = tasks.runtime().enter();
    let logs = logs(&tasks, LogFormat::Json);
    let outputs = Outputs::new(logs.clone(), Spans::new(Sampler::always_on()));
    let _registered = hub::register(tasks.runtime(), outputs);
    assert_eq!(hub::install(), hub::Installed::Ours);
    let event = || {
        info!(
            order = 17,
            item = "lamp",
            shown = %"brass",
            price = 12.5,
            paid = true,
            password = "hunter2",
            "order {} accepted",
            17
        );
    };
    let slot = Slot::new(TraceContext::root(true));
    slot.sync_scope(|| {
        assert_eq!(most(&logs, event), 0, "in a request");
        let span = info_span!(
            "checkout",
            user = "ann",
            tenant = 7,
            level = "gold",
            late = field::Empty
        );
        span.in_scope(|| {
            span.record("late", 1);
            assert_eq!(most(&logs, event), 0, "in a span");
            let inner = info_span!("payment", user = "bob");
            assert_eq!(most(&logs, || inner.in_scope(event)), 0, "in two spans");
        });
    });
    assert!(logs.flush(Duration::from_secs(10)));
    assert_eq!(logs.written(Level::INFO), 6 * ROUNDS as u64);
    assert_eq!(logs.dropped(Level::INFO), 0);
    tasks.cancel();
}
