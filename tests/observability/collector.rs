//! A Collector that is dead, hangs or refuses costs no request anything, loses no count, and delays no exit.
use crate::support::ask;
use detectviz_tests::{
    Launch, Service, eventually,
    foreign::free_ports,
    http1::Connection,
    receiver::{Answer, Receiver},
};
use rustix::process::Signal;
use std::time::{Duration, Instant};

const REQUESTS: u32 = 200;

/// The flush that the lifecycle allows, and what starting and stopping threads may take.
const EXIT: Duration = Duration::from_millis(2_000 + 1_000);

fn exporting(endpoint: &str, more: &[&str]) -> Service {
    Launch::conformance()
        .set("telemetry.otlp.enabled", true)
        .set("telemetry.otlp.endpoint", endpoint)
        .set("telemetry.otlp.traces.schedule_delay", "50ms")
        .set("http.linger", "0s")
        .sets(more)
        .start()
}

/// Sends requests and says how long the slowest took.
fn load(service: &Service) -> Duration {
    let mut slowest = Duration::ZERO;
    let mut connection = Connection::open(service.http()).expect("a connection");
    for _ in 0..REQUESTS {
        let start = Instant::now();
        assert_eq!(connection.get("/").expect("an answer").status, 200);
        slowest = slowest.max(start.elapsed());
    }
    slowest
}

/// Spans whose fate is known: those exported, and those dropped for whatever reason.
fn settled(service: &Service) -> (f64, f64) {
    let exported = service.metric("otel_sdk_exporter_span_exported_total", "error_type=\"\"");
    let all = service.metric("otel_sdk_exporter_span_exported_total", "");
    let refused = service.metric(
        "otel_sdk_processor_span_processed_total",
        "error_type=\"queue_full\"",
    );
    (exported, all - exported + refused)
}

fn ends_in_time(service: Service) {
    let told = Instant::now();
    service.signal(Signal::TERM);
    let ended = service.wait(detectviz_tests::BOUND);
    let took = ended.at - told;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(took < EXIT, "{took:?}");
}

/// Every request is answered at once, every span is accounted for, and the process ends in time.
fn check(service: Service, exported: u32) {
    let slowest = load(&service);
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    let want = (f64::from(exported), f64::from(REQUESTS - exported));
    eventually("every span is accounted for", || {
        (settled(&service) == want).then_some(())
    });
    let processed = service.metric("otel_sdk_processor_span_processed_total", "");
    assert_eq!(processed, f64::from(REQUESTS));
    // A few more, so that something waits when the end comes.
    for _ in 0..10 {
        assert_eq!(ask(service.http(), "GET", "/", "").status, 200);
    }
    ends_in_time(service);
}

/// A batch is given up after this time, so that a test sees it.
const SOON: &str = "telemetry.otlp.traces.export_timeout=300ms";

#[test]
fn o1_a_good_collector_gets_every_span() {
    for protocol in [
        "telemetry.otlp.protocol=grpc",
        "telemetry.otlp.protocol=http/protobuf",
    ] {
        let receiver = Receiver::start(Answer::Accept);
        let service = exporting(&receiver.endpoint(), &[protocol]);
        check(service, REQUESTS);
        assert_eq!(
            receiver.spans().len(),
            210,
            "the flush at the end sends what waits"
        );
    }
}

#[test]
fn o1_a_dead_collector_delays_nothing() {
    let [nobody] = free_ports();
    check(exporting(&format!("http://{nobody}"), &[SOON]), 0);
}

#[test]
fn o1_a_hanging_collector_delays_nothing() {
    let receiver = Receiver::start(Answer::Hang);
    check(exporting(&receiver.endpoint(), &[SOON]), 0);
    assert!(receiver.requests() > 0);
}

#[test]
fn o1_a_collector_that_hangs_to_the_end_costs_the_flush_and_no_more() {
    let receiver = Receiver::start(Answer::Hang);
    let service = exporting(&receiver.endpoint(), &[]);
    load(&service);
    ends_in_time(service);
}

#[test]
fn o1_refusals_are_counted_and_delay_nothing() {
    for status in [400, 429, 503] {
        let receiver = Receiver::start(Answer::Refuse(status));
        check(exporting(&receiver.endpoint(), &[SOON]), 0);
        assert!(receiver.requests() > 0, "{status}");
    }
}

#[test]
fn a_full_queue_drops_and_counts() {
    let receiver = Receiver::start(Answer::Hang);
    let small = [
        "telemetry.otlp.traces.queue=16",
        "telemetry.otlp.traces.batch=8",
        SOON,
    ];
    check(exporting(&receiver.endpoint(), &small), 0);
}
