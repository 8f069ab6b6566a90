//! Positions by the hash of a call.
use crate::balance::state::mix;

/// A ring with several points for each position, after Karger and others, Consistent hashing and random trees, 1997, and
/// libketama.
///
/// When a position leaves, only what it had moves; what it had is the share of its points, which deviates from its fair share
/// by 1/√points.
#[derive(Debug)]
pub(in crate::balance) struct Ring {
    /// By their place on the ring.
    points: Box<[(u64, u32)]>,
    /// For each value of the highest bits, the first point that has it or comes later.
    guide: Box<[u32]>,
    shift: u32,
}

/// A hash of `bytes` for calls that belong together, such as the value of a header. It is the same in every process and
/// release: FNV-1a, 64 bits, with the finaliser of SplitMix64.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(fnv)
}

/// Where the calls of `hash` are on the ring; hashes that are small numbers are spread by it.
#[inline]
pub(in crate::balance) fn point_of(hash: u64) -> u64 {
    mix(hash)
}

impl Ring {
    /// `endpoints` by position: a hash that names each, and its weight. The heaviest gets up to `points` points, and all
    /// together at most `max_size` unless they are more.
    ///
    /// Weights count in relation to the power of two above the heaviest, so that they rarely change the points of others.
    pub(in crate::balance) fn new(endpoints: &[(u64, u32)], points: u32, max_size: u32) -> Self {
        let heaviest = endpoints.iter().map(|e| e.1).max().unwrap_or(1);
        let whole = u64::from(heaviest).next_power_of_two();
        let mut points = u64::from(points);
        // Halved, so that one endpoint more or less rarely changes the points of all.
        while points > 1 && points * endpoints.len() as u64 > u64::from(max_size) {
            points /= 2;
        }
        let mut all = Vec::with_capacity(endpoints.len() * points as usize);
        for (at, &(name, weight)) in endpoints.iter().enumerate() {
            let count = (points * u64::from(weight) / whole).max(1);
            let hashes = (0..count).map(|n| mix(name ^ mix(n)));
            all.extend(hashes.map(|hash| (hash, at as u32)));
        }
        all.sort_unstable();
        let bits = all.len().next_power_of_two().trailing_zeros().max(1);
        let shift = u64::BITS - bits;
        let mut first = 0;
        let guide = (0..1_u64 << bits).map(|value| {
            while all
                .get(first as usize)
                .is_some_and(|p| p.0 >> shift < value)
            {
                first += 1;
            }
            first
        });
        Self {
            guide: guide.collect(),
            points: all.into(),
            shift,
        }
    }

    /// The positions from `point` on, clockwise once around; a position comes as often as it has points.
    #[inline]
    pub(in crate::balance) fn from(&self, point: u64) -> impl Iterator<Item = usize> + '_ {
        let guide = (point >> self.shift) as usize;
        let mut first = self.guide.get(guide).map_or(0, |first| *first as usize);
        while self.points.get(first).is_some_and(|p| p.0 < point) {
            first += 1;
        }
        let (before, after) = self.points.split_at(first.min(self.points.len()));
        after.iter().chain(before).map(|p| p.1 as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(n: usize) -> Vec<(u64, u32)> {
        let name = |i| hash_of(format!("10.0.0.{i}:80").as_bytes());
        (0..n).map(|i| (name(i), 1)).collect()
    }

    fn owner(ring: &Ring, key: u64) -> Option<usize> {
        ring.from(point_of(key)).next()
    }

    #[test]
    fn the_hash_of_a_key_never_changes() {
        for (key, expected) in [
            ("", 0xc381_7c01_6ba4_ff30),
            ("user-1", 0xf16d_8d44_0fbb_25d5),
        ] {
            assert_eq!(hash_of(key.as_bytes()), expected, "{key:?}");
        }
    }

    #[test]
    fn when_an_endpoint_leaves_only_its_keys_move() {
        const KEYS: u64 = 5_000;
        for (n, points) in [(5, 160), (20, 160), (20, 1000)] {
            let all = names(n);
            let ring = Ring::new(&all, points, 1 << 20);
            let mut moved = 0;
            for gone in 0..n {
                let mut rest = all.clone();
                rest.remove(gone);
                let less = Ring::new(&rest, points, 1 << 20);
                let mut keys = 0;
                for key in 0..KEYS {
                    let (was, is) = (owner(&ring, key).unwrap(), owner(&less, key).unwrap());
                    let is = is + usize::from(is >= gone);
                    assert!(was == is || was == gone, "{key} of {was} went to {is}");
                    keys += u64::from(was != is);
                }
                // Four deviations, of the points and of the keys.
                let variance = 1.0 / f64::from(points) + n as f64 / KEYS as f64;
                let most = 1.0 + 4.0 * variance.sqrt();
                let share = keys as f64 * n as f64 / KEYS as f64;
                assert!(share < most, "{n} endpoints: {share} of the ideal share");
                moved += keys;
            }
            assert_eq!(moved, KEYS, "each key moves once");
        }
    }

    #[test]
    fn more_weight_is_more_points_and_a_full_ring_has_fewer_for_each() {
        let mut endpoints = names(3);
        endpoints[0].1 = 4;
        let count = |ring: &Ring, at| ring.points.iter().filter(|p| p.1 == at).count();
        let ring = Ring::new(&endpoints, 160, 1 << 20);
        assert_eq!([0, 1, 2].map(|at| count(&ring, at)), [160, 40, 40]);
        let full = Ring::new(&names(100), 160, 1024);
        assert_eq!(full.points.len(), 1000);
        assert_eq!(Ring::new(&[], 160, 1024).from(7).next(), None);
    }

    proptest! {
        #[test]
        fn the_owner_is_the_next_point(n in 1_usize..30, point: u64) {
            let ring = Ring::new(&names(n), 16, 1 << 20);
            let next = ring.points.iter().find(|p| p.0 >= point).or(ring.points.first());
            prop_assert_eq!(ring.from(point).next(), next.map(|p| p.1 as usize));
            prop_assert_eq!(ring.from(point).count(), n * 16);
        }
    }
}
