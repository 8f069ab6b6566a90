//! What a failed call is called in metrics and spans.
use super::{
    ConnectFailed, ConnectTimeout, InvalidTarget, LookupFailed, NoEndpoints, NoTrustRoots,
    TooManyPending,
};
use detectviz_core::{
    error::cause_ref,
    resilience::{breaker::Open, bulkhead::Overloaded, retry::BudgetExhausted, timeout::Elapsed},
};
use std::error::Error;

/// Says whether an error holds a cause.
type Has = fn(&(dyn Error + 'static)) -> bool;

/// The name of a cause, and whether the error is the caller's as it is, rather than one of the way.
const CAUSES: [(Has, &str, bool); 11] = [
    (has::<InvalidTarget>, "invalid_target", true),
    (has::<LookupFailed>, "lookup_failed", true),
    (has::<NoEndpoints>, "no_endpoints", true),
    (has::<NoTrustRoots>, "no_trust_roots", true),
    (has::<Open>, "breaker_open", true),
    (has::<Overloaded>, "overloaded", true),
    (has::<BudgetExhausted>, "retry_budget", false),
    (has::<TooManyPending>, "too_many_pending", true),
    (has::<Elapsed>, "timeout", true),
    (has::<ConnectTimeout>, "connect_timeout", false),
    (has::<ConnectFailed>, "connect_failed", false),
];

/// The name of a failure, and whether its error is shown as it is.
pub(super) fn name_of(err: &(dyn Error + 'static)) -> (&'static str, bool) {
    let found = CAUSES.iter().find(|(has, ..)| has(err));
    found.map_or(("send_failed", false), |(_, name, ours)| (name, *ours))
}

fn has<E: Error + 'static>(err: &(dyn Error + 'static)) -> bool {
    cause_ref::<E>(err).is_some()
}
