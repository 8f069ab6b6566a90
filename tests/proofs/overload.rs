//! More than a server can do.
use detectviz_tests::{
    Launch, Service,
    cpu::Cpu,
    full,
    http1::Connection,
    load::{Answers, Load, Pace, p99},
    optimised,
};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// What the handler does, 20 at a time: 4,000/s at most.
const REQUEST: &[u8] = b"GET /slow?ms=5 HTTP/1.1\r\nHost: test\r\n\r\n";

/// What is offered, in this order, until it is what the machine has the CPU for; all of it is an overload.
const OFFERED: [f64; 4] = [40_000.0, 20_000.0, 12_000.0, 8_000.0];

/// The share of the CPU beyond which others use it too much to judge by the clock.
const SHARED: f64 = 0.2;

/// How late a refusal may be.
const PROMPT: Duration = Duration::from_millis(5);

const COUNT: &str = "http_server_request_duration_seconds_count";

/// Tells threads to stop when it is dropped, in a panic too.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn load(service: &Service, pace: Pace, connections: usize, millis: u64) -> Answers {
    let load = Load {
        to: service.http(),
        request: REQUEST,
        pace,
        connections,
        time: Duration::from_millis(millis),
    };
    let answers = load.run().expect("the service takes connections");
    let answered = answers.answered() + answers.unsent;
    assert_eq!(
        (answered, answers.broken),
        (answers.offered, 0),
        "what was sent has an answer"
    );
    assert_eq!(answers.other, 0, "200 or 503");
    answers
}

/// Asks for probes and pages until told to stop; each must be answered.
fn probe(service: &Service, stop: &AtomicBool, asked: &AtomicU64) {
    while !stop.load(Relaxed) {
        for (address, path) in [
            (service.http(), "/livez"),
            (service.http(), "/readyz"),
            (service.admin(), "/livez"),
            (service.admin(), "/metrics"),
        ] {
            let mut connection = Connection::open(address).expect("a connection");
            let reply = connection.get(path).expect("an answer");
            assert_eq!(reply.status, 200, "{path}");
            asked.fetch_add(1, Relaxed);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// How late a thread is that has nothing to do but to wake each millisecond: what the machine alone adds to any answer.
fn lateness(stop: &AtomicBool) -> Duration {
    let pause = Duration::from_millis(1);
    let mut late = Vec::new();
    while !stop.load(Relaxed) {
        let start = Instant::now();
        thread::sleep(pause);
        late.push(start.elapsed().saturating_sub(pause));
    }
    late.sort_unstable();
    p99(&late)
}

/// What so many requests a second did to the service.
#[derive(Debug)]
struct Try {
    said: String,
    /// What is wrong with it.
    wrong: Vec<&'static str>,
    /// The share of the CPU that others used.
    others: f64,
}

fn overloaded(service: &Service, rate: f64, millis: u64) -> Try {
    let before = Cpu::read(service);
    let unloaded = p99(&load(service, Pace::Closed, 4, 400).accepted);
    // Twenty run, and as many wait for their turn: no permit is ever idle.
    let peak = load(service, Pace::Closed, 40, 400).goodput();
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let (answers, late) = thread::scope(|scope| {
        let probes = scope.spawn(|| probe(service, &stop, &asked));
        let late = scope.spawn(|| lateness(&stop));
        let stopped = Stop(&stop);
        let answers = load(service, Pace::Open(rate), 256, millis);
        drop(stopped);
        probes.join().expect("every probe and scrape is answered");
        (answers, late.join().expect("it only sleeps"))
    });
    let others = Cpu::read(service).others_since(&before);
    let (accepted, refused) = (p99(&answers.accepted), p99(&answers.refused));
    let said = format!(
        "offered {:.0}/s for {:?}: goodput {:.0}/s of {peak:.0}/s, accepted p99 {accepted:?} of {unloaded:?} unloaded, \
         refused p99 {refused:?}, {} probes and scrapes; an idle thread wakes {late:?} late, others use {:.0} %",
        answers.rate(),
        answers.took,
        answers.goodput(),
        asked.load(Relaxed),
        100.0 * others,
    );
    let wrong = [
        (answers.rate() < 2.0 * peak, "that is no overload"),
        (answers.unsent * 1_000 > answers.offered, "not all is sent"),
        (answers.goodput() < 0.9 * peak, "goodput"),
        (accepted > 3 * unloaded + late, "accepted p99"),
        (refused > PROMPT + late, "refused p99"),
        (asked.load(Relaxed) < 8, "probes"),
    ];
    let wrong = wrong.into_iter().filter(|(wrong, _)| *wrong);
    Try {
        said,
        wrong: wrong.map(|(_, what)| what).collect(),
        others,
    }
}

/// Server and generator share the machine, and often with others. Where there is no CPU for so many refusals, the figures are
/// those of the scheduler and not of the server: then less is offered, down to twice of what the handler can do. For the same
/// reason what a thread waits that only sleeps is added to what an answer may take.
///
/// While others use more than a fifth of the CPU, as builds on the same machine do, goodput and times are printed and fail
/// nothing: then it is asserted that each request, probe and scrape is answered, each refusal counted, and every permit back.
#[test]
fn an_overloaded_server_does_what_it_can_and_refuses_the_rest_at_once() {
    let limit = "http.layers.admission.concurrency";
    let service = Launch::new(&optimised("conformance"))
        .set(&format!("{limit}.max_concurrent"), 20)
        .set(&format!("{limit}.queue.max_queue"), 20)
        .set("telemetry.logs.level", "warn")
        .start();
    let times: &[u64] = if full() { &[2_500, 60_000] } else { &[2_500] };
    let mut tries = Vec::new();
    for rate in OFFERED {
        let holds = times.iter().all(|millis| {
            let tried = overloaded(&service, rate, *millis);
            println!("{}: {:?}", tried.said, tried.wrong);
            let holds = tried.wrong.is_empty();
            tries.push(tried);
            holds
        });
        if holds {
            break;
        }
    }
    let last = tries.last().expect("there are rates");
    assert!(last.wrong.is_empty() || last.others > SHARED, "{tries:#?}");
    let page = service.settles("http_server_active_requests", &[], 0.0);
    let refused = page.sum(COUNT, &["http_response_status_code=\"503\""]);
    let server = ["bulkhead=\"server\""];
    let said = page.sum("detectviz_bulkhead_refused_total", &server);
    assert_eq!(refused, said, "each refusal is counted");
    for gauge in ["detectviz_bulkhead_in_flight", "detectviz_bulkhead_queued"] {
        assert_eq!(page.sum(gauge, &[]), 0.0, "{gauge}");
    }
}
