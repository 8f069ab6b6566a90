//! One observation of a request, within the limit of series and beyond it, and the page of a thousand routes.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    threads::{self, Caller},
};
use detectviz_core::telemetry::metrics::{
    DURATION_BUCKETS, Desc, Format, Histogram, Kind, Registry, Unit,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter as PeerCounter, family::Family as PeerFamily,
        histogram::Histogram as PeerHistogram,
    },
    registry::Registry as PeerRegistry,
};
use std::{cell::RefCell, hint::black_box, sync::Arc, time::Duration};

/// More than any of the rows makes.
const LIMIT: usize = 100_000;
/// How long the observed request took.
const TOOK: Duration = Duration::from_micros(7300);

static LABELS: [&str; 3] = [
    "http.request.method",
    "http.route",
    "http.response.status_code",
];

static DURATION: Desc = Desc {
    name: "http.server.request.duration",
    help: "How long requests took.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &LABELS,
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

/// The handles that routes hold. Requests are counted from the histogram.
struct Ours {
    registry: Registry,
    handles: Vec<Arc<Histogram>>,
}

/// prometheus-client's families, looked up by labels.
struct Peer {
    registry: PeerRegistry,
    durations: PeerFamily<Labels, PeerHistogram>,
    requests: PeerFamily<Labels, PeerCounter>,
    labels: Vec<Labels>,
}

/// The macros of `metrics`, with its exporter for Prometheus.
struct Macros {
    recorder: PrometheusRecorder,
    routes: Vec<String>,
}

pub(crate) fn rows(table: &mut Table) {
    for (name, routes) in [
        ("RED observation, 1 route", 1),
        ("RED observation, 1,000 routes", 1000),
        ("RED observation, 10,000 routes", 10_000),
    ] {
        if table.wants(name) {
            observation(table, name, routes);
        }
    }
    if table.wants("RED observation, beyond the limit") {
        overflow(table);
    }
    if table.wants("RED observation, two threads over one") {
        let (ours, peer) = (Ours::new(1, LIMIT), Peer::new(1));
        let what = "RED observation, two threads over one";
        let cost = threads::over_one(|| Caller::new(|| ours.observe(black_box(0))));
        table.figure((what, "detectviz"), (cost, "x"), None);
        let cost = threads::over_one(|| Caller::new(|| peer.observe(black_box(0))));
        table.figure((what, "prometheus-client"), (cost, "x"), None);
    }
    if table.wants("page of 1,000 routes") {
        page(table);
    }
}

fn observation(table: &mut Table, name: &str, routes: usize) {
    let (ours, peer) = (Ours::new(routes, LIMIT), Peer::new(routes));
    let macros = Macros::new(routes);
    // A stride through the routes, so that caches see what they would see; it is part of what is measured.
    let stride = || {
        let (mut at, step) = (0, 7919 % routes);
        move || {
            at += step;
            at -= if at >= routes { routes } else { 0 };
            black_box(at)
        }
    };
    let (mut of_ours, mut of_peer, mut of_macros) = (stride(), stride(), stride());
    let row = Row::new(
        name,
        Contestant::new("detectviz", || ours.observe(of_ours())),
    );
    let theirs = Contestant::new("prometheus-client's Family", || peer.observe(of_peer()));
    let theirs_too = Contestant::batches("metrics, its exporter", |calls| {
        metrics::with_local_recorder(&macros.recorder, || {
            (0..calls).for_each(|_| macros.observe(of_macros()));
        });
    });
    let row = row.beside(theirs, Bounds::parts(5.0, 15.0));
    table.row(row.shown(theirs_too));
}

/// What a metric costs once it has as many series as it may: to record into the series for the rest, and to look that up.
fn overflow(table: &mut Table) {
    let ours = Ours::new(10_000, 2000);
    let durations = ours.registry.histogram(&DURATION);
    let beyond = route(9_999);
    let name = "RED observation, beyond the limit";
    let by_handle = Contestant::new("detectviz, by its handle", || {
        ours.observe(black_box(9_999))
    });
    let by_labels = Contestant::new("detectviz, looked up by labels", || {
        durations
            .with(&["GET", black_box(&beyond), "200"])
            .observe(TOOK);
    });
    table.row(Row::new(name, by_handle).shown(by_labels));
}

fn page(table: &mut Table) {
    let (ours, peer, macros) = (Ours::new(1000, LIMIT), Peer::new(1000), Macros::new(1000));
    (0..1000).for_each(|route| ours.observe(route));
    metrics::with_local_recorder(&macros.recorder, || {
        (0..1000).for_each(|route| macros.observe(route));
    });
    let (bytes, text) = (RefCell::new(Vec::new()), RefCell::new(String::new()));
    let write = Contestant::new("detectviz", || {
        let mut bytes = bytes.borrow_mut();
        bytes.clear();
        ours.registry.encode(Format::OpenMetrics100, &mut bytes);
        black_box(bytes.len());
    });
    let theirs = Contestant::new("prometheus-client's encoder", || {
        let mut text = text.borrow_mut();
        text.clear();
        encode(&mut *text, &peer.registry).expect("a page");
        black_box(text.len());
    });
    let handle = macros.recorder.handle();
    let theirs_too = Contestant::new("metrics, its exporter", || {
        black_box(handle.render().len());
    });
    // What is promised is that no line allocates; the page as a whole does, a few times.
    let row = Row::new("page of 1,000 routes", write.calls(16)).allocates();
    let row = row.beside(theirs.calls(2), Bounds::parts(3.0, 9.0));
    table.row(row.shown(theirs_too.calls(1)));
}

// === impl Ours ===

impl Ours {
    fn new(routes: usize, limit: usize) -> Self {
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

// === impl Peer ===

impl Peer {
    fn new(routes: usize) -> Self {
        let mut registry = PeerRegistry::default();
        let histogram = || PeerHistogram::new(DURATION_BUCKETS.iter().copied());
        let durations = PeerFamily::new_with_constructor(histogram as fn() -> _);
        let requests = PeerFamily::default();
        let help = "How long requests took";
        registry.register(
            "http_server_request_duration_seconds",
            help,
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
        (0..routes).for_each(|route| peer.observe(route));
        peer
    }

    fn observe(&self, route: usize) {
        let labels = &self.labels[route];
        let duration = self.durations.get_or_create(labels);
        duration.observe(TOOK.as_secs_f64());
        self.requests.get_or_create(labels).inc();
    }
}

// === impl Macros ===

impl Macros {
    fn new(routes: usize) -> Self {
        let builder = PrometheusBuilder::new().set_buckets(DURATION_BUCKETS);
        Self {
            recorder: builder.expect("there are buckets").build_recorder(),
            routes: (0..routes).map(route).collect(),
        }
    }

    /// As its documentation shows it, to the current recorder.
    fn observe(&self, route: usize) {
        let labels = [
            ("method", "GET".to_owned()),
            ("route", self.routes[route].clone()),
            ("status", "200".to_owned()),
        ];
        metrics::counter!("http_requests_total", &labels).increment(1);
        metrics::histogram!("http_requests_duration_seconds", &labels).record(TOOK.as_secs_f64());
    }
}

fn route(n: usize) -> String {
    format!("/shop/v1/area-{n}/orders/{{id}}")
}
