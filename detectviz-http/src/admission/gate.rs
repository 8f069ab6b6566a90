//! Decides about requests.
use super::{
    AdmissionConfig, AdmissionHandle, Trust,
    allowance::Allowance,
    plan::{Limit, Plan, RoutePlan},
    refusal::Refused,
};
use crate::{
    conn,
    head_scan::{Found, Known},
    route::{Route, RouteTable},
};
use detectviz_core::{
    error::Error,
    resilience::{
        adaptive::Outcome,
        bulkhead::{self, Bulkhead, Detached, Waiting},
        deadline::{Asked, parse_grpc_timeout, parse_timeout_ms},
        priority::Priority,
        rate_limit::{RateLimitKey, RateLimited},
        shed::Shedder,
    },
    task::Tasks,
    telemetry::metrics::Registry,
};
use http::{HeaderMap, StatusCode};
use std::{path::Path, sync::Arc, time::Instant};

/// The limits of a server, live.
///
/// # Clone
/// Clones are the same limits.
#[derive(Clone, Debug)]
pub struct Admission {
    plan: Arc<Plan>,
}

/// A request that wants to be taken on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) route: Route,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) now: Instant,
}

/// What becomes of it.
pub(crate) enum Verdict {
    Run(Held),
    Wait(Held, Waiting),
    Refuse(Refused),
}

/// What a request holds until its handler has answered; to be [given back](Admission::release).
#[derive(Debug, Default)]
#[must_use = "permits that are not released are lost"]
pub(crate) struct Held {
    route: Option<Detached>,
    server: Option<Detached>,
}

// === impl Held ===

impl Held {
    /// Whether the handler runs with it.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        self.server.is_some()
    }
}

// === impl Admission ===

impl Admission {
    /// The limits of `config`, which must be valid, for the routes of `table`.
    ///
    /// # Errors
    /// `Config` for a route that the table does not know.
    pub fn new(
        config: &AdmissionConfig,
        table: &RouteTable,
        metrics: &Registry,
        now: Instant,
    ) -> Result<Self, Error> {
        let plan = Plan::new(config, table, metrics, now)?;
        Ok(Self {
            plan: Arc::new(plan),
        })
    }

    /// The limit on how many requests run at once.
    #[must_use]
    pub fn concurrency(&self) -> &Bulkhead {
        &self.plan.concurrency
    }

    /// Puts other numbers in force, without losing a count. Limits that come or go wait for the next start.
    pub fn reconfigure(&self, config: &AdmissionConfig, now: Instant) {
        self.plan.reconfigure(config, now);
    }

    /// A read-only view.
    #[must_use]
    pub fn handle(&self) -> AdmissionHandle {
        AdmissionHandle::new(Arc::clone(&self.plan))
    }

    /// Takes readings for shedding in a task of `tasks`, whenever it is switched on; `root` is where `proc` and `sys` are, `/` as a
    /// rule.
    ///
    /// # Panics
    /// Outside a tokio runtime, when it is switched on.
    pub fn start(&self, tasks: &Tasks, root: &Path) {
        self.plan.shedding.start(tasks, root);
    }

    /// What sheds load, if it is switched on.
    #[must_use]
    pub fn shedder(&self) -> Option<&Shedder> {
        let shedding = &self.plan.shedding;
        shedding.is_on().then(|| shedding.shedder())
    }

    /// The deadline of a request that its caller asks for, or that everybody has.
    ///
    /// # Errors
    /// [`Refused::Late`] when it has passed.
    #[inline]
    pub(crate) fn deadline(&self, asked: Asked, now: Instant) -> Result<Option<Instant>, Refused> {
        let asked = match asked {
            Asked::Nothing => Asked::Nothing,
            asked => self.trusted(asked),
        };
        let deadline = self.plan.deadlines.admit(asked, now, now, None);
        deadline.map_err(|_| Refused::Late)
    }

    /// What the peer of this connection asked for, if its word counts.
    fn trusted(&self, asked: Asked) -> Asked {
        let peer = || conn::current().and_then(|conn| conn.peer);
        match &**self.plan.trust.load() {
            Trust::All => asked,
            trust if trust.includes(peer().map(|peer| peer.ip())) => asked,
            _ => Asked::Nothing,
        }
    }

    /// Counts a request that is given up because its `deadline` has passed.
    pub(crate) fn timed_out(&self, deadline: Instant, now: Instant) {
        self.plan.deadlines.exceeded(deadline, now);
    }

    /// Decides about a request; `allowance` takes what is left to its caller, where a rate limit applies.
    #[inline]
    pub(crate) fn decide(
        &self,
        arrival: &Arrival<'_>,
        allowance: &mut Option<Allowance>,
    ) -> Verdict {
        let plan = &*self.plan;
        let route = plan.route(arrival.route);
        let priority = route.map_or(Priority::Normal, |route| route.priority);
        if priority < Priority::Critical {
            if let Err(limited) = within_rates(&plan.limits, route, arrival, allowance) {
                let told = plan.telling.refused();
                return Verdict::Refuse(Refused::RateLimited { limited, told });
            }
            let shedder = plan.shedding.shedder();
            if shedder.is_shedding()
                && let Err(shedding) = shedder.admit(priority, fastrand::u64(..))
            {
                return Verdict::Refuse(Refused::Shed(shedding));
            }
        }
        let mut held = Held::default();
        if let Some(limit) = route.and_then(|route| route.concurrency.as_ref()) {
            match admit(limit, priority, arrival.now) {
                // One that waits for its route takes no place among those who wait for the server.
                Ok(Entry::Waits(waiting)) => return Verdict::Wait(held, waiting),
                Ok(Entry::Runs(permit)) => held.route = Some(permit),
                Err(refused) => return Verdict::Refuse(refused),
            }
        }
        self.enter(held, route, priority, arrival.now)
    }

    /// The rest of the way for a request whose waiting has ended: `held` with the permit it waited for.
    pub(crate) fn waited(
        &self,
        mut held: Held,
        permit: bulkhead::Permit,
        (route, now): (Route, Instant),
    ) -> Verdict {
        let route = self.plan.route(route);
        let of_route = route.and_then(|route| route.concurrency.as_ref());
        if of_route.is_some() && held.route.is_none() {
            held.route = Some(permit.detach());
            let priority = route.map_or(Priority::Normal, |route| route.priority);
            return self.enter(held, route, priority, now);
        }
        held.server = Some(permit.detach());
        Verdict::Run(held)
    }

    /// Whether somebody wants to know how long requests take.
    #[inline]
    pub(crate) fn samples(&self) -> bool {
        self.plan.adaptive.is_some()
    }

    /// A request that began at `started` was answered with `status` at `now`.
    pub(crate) fn sample(&self, started: Instant, now: Instant, status: StatusCode) {
        let outcome = match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Outcome::Dropped,
            status if status.is_server_error() => Outcome::Ignored,
            _ => Outcome::Answered,
        };
        if let Some(adaptive) = &self.plan.adaptive {
            adaptive.sample(started, now, outcome);
        }
    }

    /// Tells the caller of a request for `route` what is left to it.
    #[inline(never)]
    pub(crate) fn tell(&self, allowance: Allowance, route: Route, headers: &mut HeaderMap) {
        if self.plan.telling.allowed() {
            let route = self.plan.route(route);
            let of_route = route.map_or(&[][..], |route| &route.limits);
            allowance.tell(&self.plan.limits, of_route, headers);
        }
    }

    /// Gives back what a request for `route` held.
    #[inline]
    pub(crate) fn release(&self, held: Held, route: Route) {
        if let Some(permit) = held.server {
            drop(self.plan.concurrency.attach(permit));
        }
        if let Some(permit) = held.route {
            give_back(permit, self.plan.route(route));
        }
    }

    fn enter(
        &self,
        mut held: Held,
        route: Option<&RoutePlan>,
        priority: Priority,
        now: Instant,
    ) -> Verdict {
        match admit(&self.plan.concurrency, priority, now) {
            Ok(Entry::Runs(permit)) => {
                held.server = Some(permit);
                Verdict::Run(held)
            }
            Ok(Entry::Waits(waiting)) => Verdict::Wait(held, waiting),
            Err(refused) => {
                if let Some(permit) = held.route {
                    give_back(permit, route);
                }
                Verdict::Refuse(refused)
            }
        }
    }
}

/// What a caller asks for; a header of gRPC's comes before ours.
#[inline]
pub(crate) fn asked(head: &Found<'_>) -> Asked {
    if let Some(value) = head.first(Known::GrpcTimeout) {
        return Asked::read(parse_grpc_timeout(value));
    }
    let value = head.first(Known::XRequestTimeoutMs);
    value.map_or(Asked::Nothing, |value| Asked::read(parse_timeout_ms(value)))
}

/// Gives back a permit of a route.
fn give_back(permit: Detached, route: Option<&RoutePlan>) {
    if let Some(limit) = route.and_then(|route| route.concurrency.as_ref()) {
        drop(limit.attach(permit));
    }
}

/// What a limit says.
enum Entry {
    Runs(Detached),
    Waits(Waiting),
}

#[inline]
fn admit(limit: &Bulkhead, priority: Priority, now: Instant) -> Result<Entry, Refused> {
    if let Some(permit) = limit.admit_detached(priority) {
        return Ok(Entry::Runs(permit));
    }
    match limit.admit(priority, now) {
        bulkhead::Admission::Permit(permit) => Ok(Entry::Runs(permit.detach())),
        bulkhead::Admission::Queued(waiting) => Ok(Entry::Waits(waiting)),
        bulkhead::Admission::Refused(overloaded) => Err(Refused::Overloaded(overloaded)),
    }
}

/// Takes one from each rate limit that applies.
#[inline]
fn within_rates(
    server: &[Limit],
    route: Option<&RoutePlan>,
    arrival: &Arrival<'_>,
    allowance: &mut Option<Allowance>,
) -> Result<(), RateLimited> {
    let of_route = route.map_or(&[][..], |route| &route.limits);
    for (is_route, limits) in [(true, of_route), (false, server)] {
        for (at, limit) in limits.iter().enumerate() {
            let decision = limit.limiter.admit(limit.key(arrival), arrival.now)?;
            let least = Allowance::least(*allowance, decision, is_route, at);
            *allowance = Some(least);
        }
    }
    Ok(())
}

// === impl Limit ===

impl Limit {
    /// What tells the callers of this limit apart.
    #[inline]
    fn key(&self, arrival: &Arrival<'_>) -> u64 {
        match self.limiter.key_kind() {
            RateLimitKey::Route => self.limiter.key(&arrival.route),
            RateLimitKey::Header(_) => {
                let value = self
                    .header
                    .as_ref()
                    .and_then(|name| arrival.headers.get(name));
                let value = value.map_or(&b""[..], http::HeaderValue::as_bytes);
                self.limiter.key(value)
            }
            RateLimitKey::Peer => {
                let peer = conn::current().and_then(|conn| conn.peer);
                self.limiter.key(&peer.map(|peer| peer.ip().to_canonical()))
            }
            _ => 0,
        }
    }
}
