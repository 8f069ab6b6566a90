//! Behaviour of the registry as its users see it.
mod cardinality;
mod counting;
mod exposition;
mod recording;
mod registering;
pub(super) mod root;

use super::*;

static REQUESTS: Desc = Desc {
    name: "http_requests_total",
    help: "Requests by method, route and status.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["method", "route", "status"],
    buckets: &[],
};
static DURATION: Desc = Desc {
    name: "http.server.request.duration",
    help: "Duration of \"requests\".",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &["http.request.method"],
    buckets: &[0.005, 0.1, 1.0],
};
static BODY: Desc = Desc {
    name: "http.server.request.body.size",
    help: "Size of bodies.",
    unit: Unit::Bytes,
    kind: Kind::Histogram,
    labels: &[],
    buckets: &[1024.0, 1_048_576.0],
};
static ACTIVE: Desc = Desc {
    name: "http.server.active_requests",
    help: "Requests under way.",
    unit: Unit::Of("{request}"),
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};

fn page(registry: &Registry, format: Format) -> String {
    let mut out = Vec::new();
    registry.encode(format, &mut out);
    String::from_utf8(out).unwrap()
}
