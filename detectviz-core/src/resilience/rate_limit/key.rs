//! From what tells callers apart to a number.
use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, DefaultHasher, Hash, Hasher},
};

/// What the hash of keys starts from.
///
/// Whoever knows it can choose keys that share a bucket, or fill one set of the table with keys of their own (Crosby and
/// Wallach, "Denial of Service via Algorithmic Complexity Attacks", 2003); so it is random, and `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct KeySeed([u64; 2]);

/// Tells the callers of a [`RateLimit`](super::RateLimit) apart: any `Fn(&Req) -> u64` does, or [`OneBucket`].
pub trait KeyFn<Req> {
    /// The key of a request, such as [`RateLimiter::key`](super::RateLimiter::key) gives it.
    fn key(&self, request: &Req) -> u64;
}

/// All requests have the same key.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneBucket;

// === impl KeySeed ===

impl KeySeed {
    /// A seed from the random numbers that the system gave the process.
    #[must_use]
    pub fn random() -> Self {
        Self::new([(); 2].map(|()| RandomState::new().build_hasher().finish()))
    }

    /// A seed of the caller's, for tests.
    #[must_use]
    pub fn new(seed: [u64; 2]) -> Self {
        Self(seed.map(mixed))
    }

    /// The hash of text and the like, by the standard library's keyed hash (SipHash-1-3 today).
    #[must_use]
    pub fn hash<K: Hash + ?Sized>(self, key: &K) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        key.hash(&mut hasher);
        hasher.finish()
    }

    /// Spreads a number, such as that of a route, over all bits. Twice, since after one multiplication numbers at equal
    /// distances are still at equal distances.
    #[inline]
    pub(super) fn spread(self, key: u64) -> u64 {
        let [first, second] = self.0;
        folded(folded(key ^ first, second) ^ second, first)
    }
}

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeed(..)")
    }
}

// === impl KeyFn ===

impl<Req, F: Fn(&Req) -> u64> KeyFn<Req> for F {
    fn key(&self, request: &Req) -> u64 {
        self(request)
    }
}

impl<Req> KeyFn<Req> for OneBucket {
    fn key(&self, _: &Req) -> u64 {
        0
    }
}

/// The halves of a product of 128 bits, as wyhash folds them.
#[inline]
fn folded(number: u64, by: u64) -> u64 {
    let product = u128::from(number) * u128::from(by | 1);
    (product as u64) ^ (product >> 64) as u64
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): a seed with few bits set multiplies as well as any other.
fn mixed(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}
