//! Every request has one outcome, and they add up.
use detectviz_tests::{
    Launch, Service, full,
    h2::{self, END_STREAM, Frames, kind},
    scrape::Scrape,
};
use fastrand::Rng;
use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

const COUNT: &str = "http_server_request_duration_seconds_count";
const TOTAL: &str = "detectviz_http_server_requests_total";
const STARTED: &str = "detectviz_http_server_requests_started_total";
const ACTIVE: &str = "http_server_active_requests";

/// Clients at the same time, of each protocol.
const CLIENTS: u64 = 4;

/// What clients know of the outcomes of their requests.
type Seen = BTreeMap<&'static str, u64>;

/// Requests over HTTP/1, and how often in a hundred it is sent.
const REQUESTS: [(&str, u8); 7] = [
    ("GET / HTTP/1.1\r\nHost: test\r\n\r\n", 40),
    ("GET /slow?ms=3 HTTP/1.1\r\nHost: test\r\n\r\n", 25),
    (
        "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello",
        10,
    ),
    ("GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n", 5),
    ("GET /panic HTTP/1.1\r\nHost: test\r\n\r\n", 8),
    (
        "GET /slow?ms=500 HTTP/1.1\r\nHost: test\r\nx-request-timeout-ms: 5\r\n\r\n",
        8,
    ),
    (
        "GET /slow?ms=500 HTTP/1.1\r\nHost: test\r\ngrpc-timeout: 0m\r\n\r\n",
        4,
    ),
];

fn draw(rng: &mut Rng) -> &'static str {
    let mut left = rng.u8(..100);
    for (request, share) in REQUESTS {
        match left.checked_sub(share) {
            Some(rest) => left = rest,
            None => return request,
        }
    }
    REQUESTS[0].0
}

/// What a status means to whoever reads it.
fn outcome(status: u16) -> &'static str {
    match status {
        429 | 503 => "shed",
        504 => "timed_out",
        500.. => "failed",
        _ => "ok",
    }
}

/// Clients of HTTP/1: some read their answers, some go away at any moment after the request was sent whole.
fn http1(service: &Service, mut rng: Rng, until: Instant) -> Seen {
    let mut seen = Seen::new();
    let mut connection = service.connect();
    while Instant::now() < until {
        *seen.entry("offered").or_default() += 1;
        match rng.u8(..10) {
            // In the midst of waiting.
            0 => {
                connection
                    .send("GET /slow?ms=50 HTTP/1.1\r\nHost: test\r\n\r\n")
                    .unwrap();
                let patience = Duration::from_micros(rng.u64(1..20_000));
                connection.is_silent_for(patience);
                connection = service.connect();
            }
            // In the midst of an answer that never ends.
            1 => {
                connection
                    .send("GET /sse HTTP/1.1\r\nHost: test\r\n\r\n")
                    .unwrap();
                let head = connection.head().unwrap();
                let outcome = if head.status == 200 {
                    "cancelled"
                } else {
                    outcome(head.status)
                };
                *seen.entry(outcome).or_default() += 1;
                connection = service.connect();
            }
            // At once.
            2 => {
                connection.send(draw(&mut rng)).unwrap();
                connection = service.connect();
            }
            _ => {
                connection.send(draw(&mut rng)).unwrap();
                let reply = connection.reply().unwrap();
                *seen.entry(outcome(reply.status)).or_default() += 1;
                if reply.closes() {
                    connection = service.connect();
                }
            }
        }
    }
    seen
}

/// Clients of HTTP/2: some streams at a time, of which some are cancelled, and some are left when the client goes away.
///
/// What a connection brings in its last moment never becomes a request there: nobody could be answered. So clients stay until
/// the last stream is answered, before which the server has seen all others.
fn http2(service: &Service, mut rng: Rng, until: Instant) -> Seen {
    let mut seen = Seen::new();
    while Instant::now() < until {
        let mut frames = Frames::open(service.http()).unwrap();
        let mut open = Vec::new();
        let last = 2 * rng.u32(1..=8) + 1;
        for stream in (1..=last).step_by(2) {
            *seen.entry("offered").or_default() += 1;
            let (path, timeout) = match rng.u8(..6) {
                _ if stream == last => ("/", None),
                0 => ("/panic", None),
                1 => ("/slow?ms=500", Some("5m")),
                2 => ("/slow?ms=2", None),
                3 => ("/sse", None),
                _ => ("/", None),
            };
            let mut block = h2::get(path);
            if let Some(timeout) = timeout {
                block.extend(h2::header("grpc-timeout", timeout));
            }
            let flags = END_STREAM | h2::END_HEADERS;
            frames.send(kind::HEADERS, flags, stream, &block).unwrap();
            if stream < last && (path == "/sse" || rng.u8(..4) == 0) {
                frames
                    .send(kind::RST_STREAM, 0, stream, &[0, 0, 0, 8])
                    .unwrap();
            } else {
                open.push(stream);
            }
        }
        let leaves = if rng.bool() {
            rng.usize(..open.len())
        } else {
            0
        };
        while open.len() > leaves || open.contains(&last) {
            let frame = frames.next_frame().expect("the connection stays open");
            let ends = frame.flags & END_STREAM != 0;
            if ends && matches!(frame.kind, kind::HEADERS | kind::DATA) {
                open.retain(|stream| *stream != frame.stream);
            }
        }
    }
    seen
}

/// What the page says of outcomes: by the counter, or by the histogram it is made from.
fn outcomes(page: &Scrape) -> BTreeMap<&'static str, f64> {
    let mut all = BTreeMap::from(
        ["ok", "failed", "shed", "timed_out", "cancelled"].map(|outcome| (outcome, 0.0)),
    );
    for (labels, count) in page.series(COUNT) {
        let label = |name: &str| {
            let value = labels.split(&format!("{name}=\"")).nth(1)?;
            value.split('"').next()
        };
        let status = label("http_response_status_code").and_then(|status| status.parse().ok());
        let outcome = match label("error_type").unwrap_or_default() {
            "" => outcome(status.unwrap_or(0)),
            "overloaded" | "rate_limited" | "shed" => "shed",
            "timeout" => "timed_out",
            "cancelled" => "cancelled",
            _ => "failed",
        };
        *all.entry(outcome).or_default() += count;
    }
    // The counters say the same, where the server has them.
    if page.series(STARTED).next().is_some() {
        for (outcome, count) in &all {
            let label = format!("outcome=\"{outcome}\"");
            assert_eq!(page.sum(TOTAL, &[&label]), *count, "{outcome}");
        }
        assert_eq!(page.sum(STARTED, &[]), all.values().sum::<f64>());
    }
    all
}

#[test]
fn every_request_has_one_outcome_and_they_add_up_to_what_was_offered() {
    let admission = "http.layers.admission";
    let service = Launch::conformance()
        .set(&format!("{admission}.concurrency.max_concurrent"), 4)
        .set(&format!("{admission}.concurrency.queue.max_queue"), 2)
        .set(&format!("{admission}.concurrency.queue.max_wait"), "10ms")
        .set(&format!("{admission}.rate_limits.all.rate"), "600/s")
        .set(&format!("{admission}.rate_limits.all.burst"), 100)
        .set("telemetry.logs.level", "error")
        .start();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let until = Instant::now() + Duration::from_secs(if full() { 60 } else { 3 });
    let mut seen = Seen::new();
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let (one, other, service) = (rng.fork(), rng.fork(), &service);
            clients.push(scope.spawn(move || http1(service, one, until)));
            clients.push(scope.spawn(move || http2(service, other, until)));
        }
        for client in clients {
            for (what, count) in client.join().unwrap() {
                *seen.entry(what).or_default() += count;
            }
        }
    });
    let page = service.settles(ACTIVE, &[], 0.0);
    let said = outcomes(&page);
    println!("clients saw {seen:?}, the server says {said:?}");
    let offered = seen.remove("offered").unwrap_or_default() as f64;
    assert_eq!(
        said.values().sum::<f64>(),
        offered,
        "seed {seed}: {said:?} of {seen:?}"
    );
    for (outcome, count) in &seen {
        assert!(
            said[outcome] >= *count as f64,
            "seed {seed}: {outcome}: {said:?} of {seen:?}"
        );
        assert!(*count > 0, "{outcome} was not tried");
    }
    assert!(
        said.values().all(|count| *count > 0.0),
        "each outcome was tried: {said:?}"
    );
    for gauge in ["detectviz_bulkhead_in_flight", "detectviz_bulkhead_queued"] {
        assert_eq!(page.sum(gauge, &[]), 0.0, "{gauge}");
    }
}
