//! What an ended call says about the load.
use crate::{
    error::{BoxError, cause_ref},
    resilience::{bulkhead::Overloaded, timeout::Elapsed},
};

/// What an ended call says about the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It was answered: its latency counts.
    Answered,
    /// The load ended it, by a timeout or a refusal further in: its latency counts, and it holds the limit down.
    Dropped,
    /// It says nothing: it failed for another reason, or its caller left. A fast failure is not a fast server.
    Ignored,
}

/// Says what an ended call says about the load.
pub trait Classify<Res> {
    /// What `answer` says.
    fn outcome(&self, answer: &Result<Res, BoxError>) -> Outcome;
}

/// Answers count, [`Elapsed`] and [`Overloaded`] are drops, other errors say nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultClassify;

impl<Res> Classify<Res> for DefaultClassify {
    fn outcome(&self, answer: &Result<Res, BoxError>) -> Outcome {
        let Err(err) = answer else {
            return Outcome::Answered;
        };
        let is_drop =
            cause_ref::<Elapsed>(&**err).is_some() || cause_ref::<Overloaded>(&**err).is_some();
        match is_drop {
            true => Outcome::Dropped,
            false => Outcome::Ignored,
        }
    }
}

impl<Res, F: Fn(&Result<Res, BoxError>) -> Outcome> Classify<Res> for F {
    fn outcome(&self, answer: &Result<Res, BoxError>) -> Outcome {
        self(answer)
    }
}
