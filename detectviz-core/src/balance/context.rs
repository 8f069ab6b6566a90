//! What a choice is told.
use super::EndpointId;
use std::{ops::Deref, time::Instant};

/// What a choice is told: the time, chance, and what is special about the call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PickContext<'a> {
    /// The time; the latency of the call is counted from here.
    pub now: Instant,
    /// 64 random bits, such as from `fastrand::u64(..)`.
    pub random: u64,
    /// What calls that belong together have in common, for [`Policy::RingHash`](super::Policy::RingHash); see
    /// [`hash_of`](super::hash_of).
    pub hash: Option<u64>,
    /// Endpoints that earlier attempts of the call were given; they are chosen again when there is nobody else, or when
    /// the others asked to be left alone.
    pub exclude: &'a [EndpointId],
}

/// The endpoints that the attempts of a call were given, at most [`Tried::MOST`]: later ones take the place of the last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    ids: [EndpointId; Tried::MOST],
    len: usize,
}

// === impl PickContext ===

impl<'a> PickContext<'a> {
    /// A call of which nothing special is known.
    #[inline]
    #[must_use]
    pub fn new(now: Instant, random: u64) -> Self {
        Self {
            now,
            random,
            hash: None,
            exclude: &[],
        }
    }

    /// Sets what the call has in common with others.
    #[inline]
    #[must_use]
    pub fn hash(mut self, hash: impl Into<Option<u64>>) -> Self {
        self.hash = hash.into();
        self
    }

    /// Sets the endpoints that were tried already.
    #[inline]
    #[must_use]
    pub fn exclude(mut self, tried: &'a [EndpointId]) -> Self {
        self.exclude = tried;
        self
    }
}

// === impl Tried ===

impl Tried {
    /// How many are remembered.
    pub const MOST: usize = 4;

    /// Nothing was tried yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an endpoint.
    pub fn push(&mut self, id: EndpointId) {
        self.len = (self.len + 1).min(Self::MOST);
        self.ids[self.len - 1] = id;
    }
}

impl Deref for Tried {
    type Target = [EndpointId];

    fn deref(&self) -> &[EndpointId] {
        &self.ids[..self.len]
    }
}
