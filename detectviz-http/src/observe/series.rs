//! The handles of every series that a route has, found without a lock and without building labels.
use super::outcomes::Outcomes;
use crate::{
    call::{Ending, Outcome, Wire, digits},
    names,
    route::{MethodName, Route, RouteTable},
};
use detectviz_core::telemetry::{
    logs::LineTemplate,
    metrics::{Counter, DURATION_BUCKETS, Desc, Family, Gauge, Histogram, Kind, Registry, Unit},
};
use std::sync::{Arc, OnceLock};

static DURATION: Desc = Desc {
    name: names::SERVER_REQUEST_DURATION,
    help: "How long requests took, from their head to the end of the response's body.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &[
        "http.request.method",
        "url.scheme",
        "http.route",
        "http.response.status_code",
        "error.type",
        "network.protocol.version",
    ],
    buckets: DURATION_BUCKETS,
};

static ACTIVE: Desc = Desc {
    name: names::SERVER_ACTIVE_REQUESTS,
    help: "How many requests are being answered.",
    unit: Unit::Of("{request}"),
    kind: Kind::Gauge,
    labels: &["http.request.method", "url.scheme"],
    buckets: &[],
};

static REQUESTS: Desc = Desc {
    name: names::REQUESTS,
    help: "Requests by method, route and the status that was sent.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["method", "route", "status"],
    buckets: &[],
};

/// How many series of one route and method are found without a lookup.
const KEPT: usize = 16;

/// The handles of one registry, by route.
pub(super) struct SeriesTable {
    routes: RouteTable,
    durations: Family<Histogram>,
    outcomes: Outcomes,
    active: Family<Gauge>,
    by_route: Box<[OnceLock<Box<ByMethod>>]>,
    active_by: [OnceLock<Arc<Gauge>>; MethodName::COUNT * 2],
}

/// What a series is for, beside its route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) method: MethodName,
    pub(super) wire: Wire,
    /// The status that was sent; 0 for none.
    pub(super) status: u16,
    pub(super) ending: Ending,
}

/// What one series is recorded in.
pub(super) struct Handles {
    pub(super) duration: Arc<Histogram>,
    /// For the outcome, where that has no series.
    pub(super) beyond: Option<Arc<Counter>>,
    /// What its lines have in common; rendered for the first of them.
    pub(super) line: OnceLock<LineTemplate>,
}

type ByMethod = [OnceLock<Box<Kept>>; MethodName::COUNT];

/// Filled from the front, so that the usual series is found first.
type Kept = [OnceLock<(Key, Handles)>; KEPT];

// === impl SeriesTable ===

impl SeriesTable {
    pub(super) fn new(metrics: &Registry, routes: RouteTable) -> Self {
        let durations = metrics.histogram(&DURATION);
        let active = metrics.gauge(&ACTIVE);
        let labels = [
            "http.request.method",
            "http.route",
            "http.response.status_code",
        ];
        metrics.counter_of(&REQUESTS, &durations, &labels);
        Self {
            outcomes: Outcomes::new(metrics, &durations, &active),
            durations,
            active,
            by_route: (0..routes.capacity()).map(|_| OnceLock::new()).collect(),
            active_by: [const { OnceLock::new() }; MethodName::COUNT * 2],
            routes,
        }
    }

    pub(super) fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// How many requests of that method are being answered.
    #[inline]
    pub(super) fn active(&self, method: MethodName, wire: Wire) -> &Gauge {
        let at = method.index() * 2 + usize::from(wire.secure);
        self.active_by[at].get_or_init(|| self.active.with(&[method.as_str(), wire.scheme()]))
    }

    /// Gives `record` the handles of a series.
    pub(super) fn read<R>(&self, route: Route, key: Key, record: impl FnOnce(&Handles) -> R) -> R {
        let Some(by_route) = self.by_route.get(route.index()) else {
            return record(&self.look_up(Route::NONE, key));
        };
        let by_method =
            by_route.get_or_init(|| Box::new([const { OnceLock::new() }; MethodName::COUNT]));
        let kept = by_method[key.method.index()]
            .get_or_init(|| Box::new([const { OnceLock::new() }; KEPT]));
        for place in kept.iter() {
            let (known, handles) = place.get_or_init(|| (key, self.look_up(route, key)));
            if *known == key {
                return record(handles);
            }
        }
        record(&self.look_up(route, key))
    }

    #[cold]
    fn look_up(&self, route: Route, key: Key) -> Handles {
        let mut text = [0; 3];
        let status = if key.status == 0 {
            ""
        } else {
            digits(key.status, &mut text)
        };
        let error_type = match key.ending.error_type() {
            "" if key.status >= 500 => status,
            kind => kind,
        };
        let method = key.method.as_str();
        let duration = self.routes.read_template(route, |route| {
            self.durations.with(&[
                method,
                key.wire.scheme(),
                route,
                status,
                error_type,
                key.wire.version(),
            ])
        });
        let beyond = self.durations.is_overflow(&duration).then(|| {
            let outcome = Outcome::of(key.ending, key.status);
            self.outcomes.beyond(outcome)
        });
        Handles {
            duration,
            beyond,
            line: OnceLock::new(),
        }
    }
}
