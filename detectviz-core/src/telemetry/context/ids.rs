//! Trace and span ids.
use super::hex;
use fastrand::Rng;
use std::{
    cell::Cell,
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    num::{NonZeroU64, NonZeroU128},
};

thread_local! {
    /// The states of the thread's two generators; the second is 0 before the first id.
    static STATES: [Cell<u64>; 2] = const { [Cell::new(0), Cell::new(0)] };
}

/// Names one trace: 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

/// Names one span of a trace: 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

// === impl TraceId ===

impl TraceId {
    /// A random id, from the thread's generators.
    #[inline]
    #[must_use]
    pub fn random() -> Self {
        loop {
            let (low, high) = (random_low(), random_high());
            if let Some(id) = NonZeroU128::new(u128::from(high) << 64 | u128::from(low)) {
                return Self(id);
            }
        }
    }

    /// An id from its bytes, big-endian; `None` when all are zero.
    #[inline]
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        NonZeroU128::new(u128::from_be_bytes(bytes)).map(Self)
    }

    /// The bytes, big-endian.
    #[inline]
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }

    /// 32 lower-case hexadecimal digits.
    #[inline]
    #[must_use]
    pub fn to_hex(self) -> [u8; 32] {
        let id = self.0.get();
        let mut out = [0; 32];
        out[..16].copy_from_slice(&hex::write((id >> 64) as u64));
        out[16..].copy_from_slice(&hex::write(id as u64));
        out
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl SpanId ===

impl SpanId {
    /// A random id, from the thread's generators.
    #[inline]
    #[must_use]
    pub fn random() -> Self {
        loop {
            if let Some(id) = NonZeroU64::new(random_low()) {
                return Self(id);
            }
        }
    }

    /// An id from its bytes, big-endian; `None` when all are zero.
    #[inline]
    #[must_use]
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        NonZeroU64::new(u64::from_be_bytes(bytes)).map(Self)
    }

    /// The bytes, big-endian.
    #[inline]
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }

    /// 16 lower-case hexadecimal digits.
    #[inline]
    #[must_use]
    pub fn to_hex(self) -> [u8; 16] {
        hex::write(self.0.get())
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The next number of the generator that trace ids have their second half from, and span ids all.
///
/// The thread's two generators are wyrand (Wang Yi, wyhash final version 4.2) as `fastrand` has it. One of them has 2⁶⁴
/// states and no more, too few for all the threads of a large fleet; two have 2¹²⁸.
#[inline]
fn random_low() -> u64 {
    STATES.with(|[high, low]| {
        if low.get() == 0 {
            seed(high, low);
        }
        step(low)
    })
}

/// The next number of the other generator; [`random_low`] has been called before.
#[inline]
fn random_high() -> u64 {
    STATES.with(|[high, _]| step(high))
}

#[inline]
fn step(state: &Cell<u64>) -> u64 {
    let mut generator = Rng::with_seed(state.get());
    let number = generator.u64(..);
    state.set(generator.get_seed());
    number
}

/// From the keys that the standard library draws from the system for its maps.
#[cold]
fn seed(high: &Cell<u64>, low: &Cell<u64>) {
    let keys = RandomState::new();
    high.set(keys.hash_one(0_u8));
    low.set(keys.hash_one(1_u8));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{collections::HashSet, thread};

    proptest! {
        #[test]
        fn ids_are_written_as_the_standard_library_writes_numbers(id: u128) {
            if let Some(id) = TraceId::from_bytes(id.to_be_bytes()) {
                let (hex, plain) = (id.to_hex(), id.to_string());
                prop_assert_eq!(&hex[..], plain.as_bytes());
            }
            if let Some(id) = SpanId::from_bytes((id as u64).to_be_bytes()) {
                let (hex, plain) = (id.to_hex(), id.to_string());
                prop_assert_eq!(&hex[..], plain.as_bytes());
            }
        }
    }

    #[test]
    fn ids_of_many_threads_differ_in_both_halves() {
        let draw = || (0..1000).map(|_| TraceId::random().to_bytes());
        let ids: Vec<[u8; 16]> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(move || draw().collect::<Vec<_>>()))
                .collect();
            let drawn = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap());
            drawn.collect()
        });
        let halves = ids.iter().flat_map(|id| [&id[..8], &id[8..]]);
        assert_eq!(halves.collect::<HashSet<_>>().len(), 16_000);
    }
}
