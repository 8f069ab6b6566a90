//! The metrics of balancers, read when they are asked for: the request path counts in the endpoints and nowhere else.
use super::{EjectionReason, EndpointStatus, NoEndpointsReason, balancer::Inner, draft::Entry};
use crate::{
    names,
    telemetry::metrics::{Collected, Desc, Kind, Registry, Unit},
};
use std::{fmt, sync::Arc, time::Instant};

/// Shows the balancers of one runtime in its metrics.
///
/// # Clone
/// Clones show the same balancers.
#[derive(Clone)]
pub struct BalanceMetrics {
    registry: Registry,
}

static ENDPOINTS: Desc = Desc {
    name: names::BALANCE_ENDPOINTS,
    help: "Endpoints of a service, by whether they take calls.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &["upstream", "state"],
    buckets: &[],
};

static PICKS: Desc = Desc {
    name: names::BALANCE_PICKS,
    help: "Calls that an endpoint was given and that have ended; those beyond the first hundred endpoints share one series.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream", "endpoint"],
    buckets: &[],
};

static EJECTIONS: Desc = Desc {
    name: names::BALANCE_EJECTIONS,
    help: "Ejections of endpoints.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream", "reason"],
    buckets: &[],
};

static REFUSALS: Desc = Desc {
    name: names::BALANCE_REFUSALS,
    help: "Calls for which there was no endpoint.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream", "reason"],
    buckets: &[],
};

/// The series of endpoints that have none of their own.
const OTHERS: &str = "_others";

// === impl BalanceMetrics ===

impl BalanceMetrics {
    /// Registers the metrics; [`Balancer::observed_by`](super::Balancer::observed_by) adds a balancer. Of two for
    /// the same service the first is shown.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        registry.declare(&[&ENDPOINTS, &PICKS, &EJECTIONS, &REFUSALS]);
        Self {
            registry: registry.clone(),
        }
    }

    pub(super) fn add<T: Send + Sync + 'static>(&self, balancer: &Arc<Inner<T>>) {
        self.registry
            .collect_from(balancer, |balancer: &Inner<T>, out| {
                balancer.observe(Instant::now(), out)
            });
    }
}

impl fmt::Debug for BalanceMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalanceMetrics").finish_non_exhaustive()
    }
}

// === impl Inner ===

impl<T: Send + Sync> Inner<T> {
    fn observe(&self, now: Instant, out: &mut Collected) {
        let (service, now) = (&*self.shared.service, self.shared.nanos(now));
        let draft = self.draft();
        let mut by_status = [0_u64; EndpointStatus::ALL.len()];
        let mut unnamed = draft.series.unnamed;
        let ended = |entry: &Entry<T>| entry.seat.vitals().ended_calls();
        for entry in draft.entries.values() {
            by_status[entry.status(now) as usize] += 1;
            if entry.named {
                let authority = &entry.seat.about().authority;
                out.counter(&PICKS, &[service, authority], ended(entry));
            } else {
                unnamed += ended(entry);
            }
        }
        if unnamed > 0 {
            out.counter(&PICKS, &[service, OTHERS], unnamed);
        }
        for (status, count) in EndpointStatus::ALL.into_iter().zip(by_status) {
            out.gauge(&ENDPOINTS, &[service, status.as_str()], count as f64);
        }
        for reason in EjectionReason::ALL {
            let count = self.shared.ejections(reason);
            out.counter(&EJECTIONS, &[service, reason.as_str()], count);
        }
        for reason in NoEndpointsReason::ALL {
            let count = self.shared.refusals(reason);
            out.counter(&REFUSALS, &[service, reason.as_str()], count);
        }
    }
}
