//! What a result says about the service that was called.
use super::Open;
use crate::{
    error::{BoxError, cause_ref},
    resilience::{bulkhead::Overloaded, rate_limit::RateLimited, shed::Shedding},
};

/// What the result of a call says about the service that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It works.
    Success,
    /// It does not.
    Failure,
    /// Nothing: the call never reached it, or the fault was the caller's. A probe's permit goes back.
    Ignored,
}

/// Decides what a result says about the service that was called. Any `Fn(Result<&Res, &BoxError>) -> Outcome` is one.
///
/// ```
/// use detectviz_core::resilience::breaker::{Classify, DefaultClassify, Outcome};
///
/// // An HTTP client would look at the status like this.
/// let by_status = |result: Result<&u16, &_>| match result {
///     Ok(500..) => Outcome::Failure,
///     result => DefaultClassify.classify(result),
/// };
/// assert_eq!(by_status.classify(Ok(&503)), Outcome::Failure);
/// assert_eq!(by_status.classify(Ok(&404)), Outcome::Success);
/// ```
pub trait Classify<Res> {
    /// What `result` says.
    fn classify(&self, result: Result<&Res, &BoxError>) -> Outcome;
}

/// An error is a failure, except for the [refusals](is_refusal) of our own layers, which say nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultClassify;

/// Whether a layer of ours refused the call before it was made, so that it says nothing about the service behind.
#[must_use]
pub fn is_refusal(err: &BoxError) -> bool {
    cause_ref::<Open>(&**err).is_some()
        || cause_ref::<Overloaded>(&**err).is_some()
        || cause_ref::<RateLimited>(&**err).is_some()
        || cause_ref::<Shedding>(&**err).is_some()
}

// === impl DefaultClassify ===

impl<Res> Classify<Res> for DefaultClassify {
    fn classify(&self, result: Result<&Res, &BoxError>) -> Outcome {
        match result {
            Ok(_) => Outcome::Success,
            Err(err) if is_refusal(err) => Outcome::Ignored,
            Err(_) => Outcome::Failure,
        }
    }
}

impl<Res, F> Classify<Res> for F
where
    F: Fn(Result<&Res, &BoxError>) -> Outcome,
{
    fn classify(&self, result: Result<&Res, &BoxError>) -> Outcome {
        self(result)
    }
}
