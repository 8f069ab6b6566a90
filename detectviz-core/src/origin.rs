//! A moment that others are counted from, in nanoseconds.
//!
//! The difference of two [`Instant`]s is computed by functions of the standard library that are not inlined: 5 ns, as much as
//! all else that a circuit breaker or a rate limit does. What an instant is made of shows to a [`Hasher`], and that is
//! inlined. It is nowhere promised what that is, so each origin tries first whether it is what it is taken for, and where it
//! is not, subtracts.
use std::{
    hash::{Hash, Hasher},
    time::{Duration, Instant},
};

/// A moment that others are counted from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    at: Instant,
    /// As [`read`]; [`UNREADABLE`] where that is of no use.
    reading: u64,
}

/// Takes in the seconds and the nanoseconds of an instant.
#[derive(Default)]
struct Parts {
    secs: u64,
    nanos: u32,
}

const UNREADABLE: u64 = u64::MAX;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

// === impl Origin ===

impl Origin {
    pub(crate) fn new(at: Instant) -> Self {
        let reading = read(at);
        // Steps of nanoseconds, of seconds, and of both.
        let is_right = [1, SECOND * 5, SECOND * 3 / 4].iter().all(|step| {
            let later = at.checked_add(Duration::from_nanos(*step)).map(read);
            later == reading.checked_add(*step)
        });
        Self {
            at,
            reading: if is_right { reading } else { UNREADABLE },
        }
    }

    /// The moment itself.
    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    /// How many nanoseconds later `now` is; 0 when it is earlier.
    #[inline]
    pub(crate) fn nanos(&self, now: Instant) -> u64 {
        match self.reading {
            UNREADABLE => self.subtracted(now),
            reading => read(now).saturating_sub(reading),
        }
    }

    #[cold]
    fn subtracted(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.at);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

// === impl Parts ===

impl Hasher for Parts {
    #[inline]
    fn write_i64(&mut self, secs: i64) {
        self.secs = secs.cast_unsigned();
    }

    #[inline]
    fn write_u64(&mut self, secs: u64) {
        self.secs = secs;
    }

    #[inline]
    fn write_u32(&mut self, nanos: u32) {
        self.nanos = nanos;
    }

    /// Of another kind of instant: what is read of it is found to be of no use.
    #[inline]
    fn write(&mut self, _: &[u8]) {}

    #[inline]
    fn finish(&self) -> u64 {
        self.secs
            .saturating_mul(SECOND)
            .saturating_add(self.nanos.into())
    }
}

/// Nanoseconds since a moment of the system, if an instant is made of seconds and nanoseconds.
#[inline]
fn read(instant: Instant) -> u64 {
    let mut parts = Parts::default();
    instant.hash(&mut parts);
    parts.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reading_is_subtracting(origin in 0_u64..1 << 50, now in 0_u64..1 << 50) {
            let begun = Instant::now();
            let origin = Origin::new(begun + Duration::from_nanos(origin));
            let now = begun + Duration::from_nanos(now);
            prop_assert_eq!(origin.nanos(now), origin.subtracted(now));
        }
    }

    #[test]
    fn what_is_further_away_than_can_be_counted_is_far_away() {
        let at = Instant::now();
        let far = at + Duration::from_secs(600 * 365 * 86_400);
        assert!(Origin::new(at).nanos(far) > u64::MAX / 2);
    }

    #[test]
    fn here_an_instant_is_read_without_subtracting() {
        assert!(Origin::new(Instant::now()).reading != UNREADABLE);
    }

    #[test]
    fn an_instant_that_cannot_be_read_is_subtracted() {
        let at = Instant::now();
        let origin = Origin {
            at,
            reading: UNREADABLE,
        };
        assert_eq!(origin.nanos(at + Duration::from_nanos(7)), 7);
        assert_eq!(Origin::new(at + Duration::from_nanos(7)).nanos(at), 0);
    }
}
