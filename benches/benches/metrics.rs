//! One observation of a request, on one thread and on two, within the limit of series and beyond it, and the page of a
//! thousand routes, beside prometheus-client.
use criterion::{Criterion, criterion_group, criterion_main};
use detectviz_benches::allocations;
use detectviz_core::telemetry::metrics::{
    Counter, DURATION_BUCKETS, Desc, Format, Histogram, Kind, Registry, Unit,
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter as PeerCounter, family::Family as PeerFamily,
        histogram::Histogram as PeerHistogram,
    },
    registry::Registry as PeerRegistry,
};
use rustix::time::{ClockId, clock_gettime};
use std::{
    hint::black_box,
    io::{self, Write},
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

const ROUTES: [usize; 3] = [1, 1000, 10_000];

/// More than any of the benches makes.
const LIMIT: usize = 100_000;

static DURATION: Desc = Desc {
    name: "http.server.request.duration",
    help: "How long requests took.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &[
        "http.request.method",
        "http.route",
        "http.response.status_code",
    ],
    buckets: DURATION_BUCKETS,
};

static REQUESTS: Desc = Desc {
    name: "http_requests_total",
    help: "Requests.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["method", "route", "status"],
    buckets: &[],
};

type Labels = [(&'static str, String); 3];

/// The handles that a route holds. The counter of requests is counted from the histogram.
struct Ours {
    registry: Registry,
    handles: Vec<Arc<Histogram>>,
}

/// The same with a counter of its own.
struct OursWithCounter {
    handles: Vec<(Arc<Histogram>, Arc<Counter>)>,
}

struct Peer {
    registry: PeerRegistry,
    durations: PeerFamily<Labels, PeerHistogram>,
    requests: PeerFamily<Labels, PeerCounter>,
    labels: Vec<Labels>,
}

impl Ours {
    fn new(routes: usize) -> Self {
        Self::with_limit(routes, LIMIT)
    }

    fn with_limit(routes: usize, limit: usize) -> Self {
        let registry = Registry::with_limit(limit);
        let durations = registry.histogram(&DURATION);
        registry.counter_of(&REQUESTS, &durations, DURATION.labels);
        let handles = (0..routes).map(|n| durations.with(&["GET", &route(n), "200"]));
        Self {
            handles: handles.collect(),
            registry,
        }
    }

    fn observe(&self, route: usize) {
        self.handles[route].observe(TOOK);
    }
}

impl OursWithCounter {
    fn new(routes: usize) -> Self {
        let registry = Registry::with_limit(LIMIT);
        let durations = registry.histogram(&DURATION);
        let requests = registry.counter(&REQUESTS);
        let handles = (0..routes).map(|n| {
            let route = route(n);
            let values = ["GET", route.as_str(), "200"];
            (durations.with(&values), requests.with(&values))
        });
        Self {
            handles: handles.collect(),
        }
    }

    fn observe(&self, route: usize) {
        let (duration, requests) = &self.handles[route];
        duration.observe(TOOK);
        requests.inc();
    }
}

impl Peer {
    fn new(routes: usize) -> Self {
        let mut registry = PeerRegistry::default();
        let durations = PeerFamily::new_with_constructor(histogram as fn() -> _);
        let requests = PeerFamily::default();
        registry.register(
            "http_server_request_duration_seconds",
            "How long requests took",
            durations.clone(),
        );
        registry.register("http_requests", "Requests", requests.clone());
        let labels = |n| {
            [
                ("method", "GET".to_owned()),
                ("route", route(n)),
                ("status", "200".to_owned()),
            ]
        };
        let peer = Self {
            registry,
            durations,
            requests,
            labels: (0..routes).map(labels).collect(),
        };
        for route in 0..routes {
            peer.observe(route);
        }
        peer
    }

    fn observe(&self, route: usize) {
        let labels = &self.labels[route];
        self.durations
            .get_or_create(labels)
            .observe(TOOK.as_secs_f64());
        self.requests.get_or_create(labels).inc();
    }
}

const TOOK: Duration = Duration::from_micros(7300);

fn histogram() -> PeerHistogram {
    PeerHistogram::new(DURATION_BUCKETS.iter().copied())
}

fn route(n: usize) -> String {
    format!("/shop/v1/area-{n}/orders/{{id}}")
}

fn observe(c: &mut Criterion) {
    for routes in ROUTES {
        let (ours, peer) = (Ours::new(routes), Peer::new(routes));
        let with_counter = OursWithCounter::new(routes);
        // A stride through the routes, so that caches see what they would see.
        let next = |at: &mut usize| {
            *at = (*at + 7919) % routes;
            black_box(*at)
        };
        let mut at = 0;
        let name = format!("observe, {routes} routes");
        allocations::print(&format!("{name}/ours"), 10_000, || {
            ours.observe(next(&mut at));
        });
        allocations::print(&format!("{name}/prometheus-client"), 10_000, || {
            peer.observe(next(&mut at));
        });
        let mut group = c.benchmark_group(name);
        group.bench_function("stride alone", |b| b.iter(|| next(&mut at)));
        group.bench_function("ours", |b| b.iter(|| ours.observe(next(&mut at))));
        group.bench_function("ours, counter of its own", |b| {
            b.iter(|| with_counter.observe(next(&mut at)));
        });
        group.bench_function("prometheus-client", |b| {
            b.iter(|| peer.observe(next(&mut at)));
        });
        group.finish();
    }
}

/// What a metric costs once it has as many series as it may: to record into the series for the rest, and to look that up.
fn overflow(c: &mut Criterion) {
    let ours = Ours::with_limit(10_000, 2000);
    let durations = ours.registry.histogram(&DURATION);
    let beyond = route(9_999);
    let look_up = || durations.with(&["GET", black_box(&beyond), "200"]);
    allocations::print("overflow/look-up", 10_000, || look_up().observe(TOOK));
    let mut group = c.benchmark_group("overflow");
    group.bench_function("observe", |b| b.iter(|| ours.observe(black_box(9_999))));
    group.bench_function("look up and observe", |b| {
        b.iter(|| look_up().observe(TOOK))
    });
    group.finish();
}

/// CPU time of an observation on one thread, and on two at once, into the same series.
fn two_threads(_: &mut Criterion) {
    const ROUNDS: usize = 15;
    const TIMES: u32 = 2_000_000;
    let (ours, peer) = (Ours::new(1), Peer::new(1));
    for (name, observe) in [
        (
            "ours",
            &(|| ours.observe(black_box(0))) as &(dyn Fn() + Sync),
        ),
        ("prometheus-client", &|| peer.observe(black_box(0))),
    ] {
        let mut ratios: Vec<f64> = (0..ROUNDS)
            .map(|_| cpu_nanos(2, TIMES, observe) / cpu_nanos(1, TIMES, observe))
            .collect();
        ratios.sort_by(f64::total_cmp);
        let name = format!("CPU on two threads over one/{name}");
        let _ = writeln!(io::stdout(), "{name:<50} ratio: {:.3}", ratios[ROUNDS / 2]);
    }
}

/// CPU time of one call in nanoseconds, when so many threads call at once.
fn cpu_nanos(threads: u32, times: u32, observe: &(dyn Fn() + Sync)) -> f64 {
    let start = Barrier::new(threads as usize);
    let run = || {
        start.wait();
        let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
        let before = now();
        for _ in 0..times {
            observe();
        }
        (now() - before).as_nanos() as f64
    };
    let nanos: f64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().filter_map(|t| t.join().ok()).sum()
    });
    nanos / f64::from(threads) / f64::from(times)
}

fn page(c: &mut Criterion) {
    let (ours, peer) = (Ours::new(1000), Peer::new(1000));
    (0..1000).for_each(|route| ours.observe(route));
    let (mut bytes, mut text) = (Vec::new(), String::new());
    let mut write = || {
        bytes.clear();
        ours.registry.encode(Format::OpenMetrics100, &mut bytes);
        black_box(bytes.len());
    };
    let mut write_peer = || {
        text.clear();
        encode(&mut text, &peer.registry).expect("a page");
        black_box(text.len());
    };
    write();
    write_peer();
    let name = "page of 1,000 routes";
    allocations::print(&format!("{name}/ours"), 10, &mut write);
    allocations::print(&format!("{name}/prometheus-client"), 10, &mut write_peer);
    let mut group = c.benchmark_group(name);
    group.bench_function("ours", |b| b.iter(&mut write));
    group.bench_function("prometheus-client", |b| b.iter(&mut write_peer));
    group.finish();
}

criterion_group!(benches, observe, two_threads, overflow, page);
criterion_main!(benches);
