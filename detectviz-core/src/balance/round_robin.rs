//! Weighted round robin, without state for each endpoint.
use crate::discovery::{Endpoint, EndpointSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives each usable endpoint its share of the calls, in turn.
///
/// An endpoint of weight 0 gets none, nor does one that is not [usable](EndpointSet::usable). Over as many calls as the
/// weights add up to, each endpoint gets exactly its weight; the turns are spread by the golden ratio, so that a weight of
/// 100 is not 100 calls in a row (Knuth, The Art of Computer Programming, volume 3, 6.4: multiplicative hashing).
#[derive(Debug, Default)]
pub struct RoundRobin {
    turn: AtomicU64,
}

impl RoundRobin {
    /// A policy that starts with the first endpoint.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The endpoint whose turn it is; `None` when no endpoint may be given a call. Wait-free.
    #[must_use]
    pub fn pick<'a>(&self, set: &'a EndpointSet) -> Option<&'a Endpoint> {
        let total: u64 = set.usable().map(|e| u64::from(e.weight)).sum();
        if total == 0 {
            return None;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % total;
        let spread = u128::from(turn) * u128::from(stride(total)) % u128::from(total);
        let mut at = u64::try_from(spread).unwrap_or(0);
        set.usable().find(|endpoint| {
            let weight = u64::from(endpoint.weight);
            let found = at < weight;
            at = at.saturating_sub(weight);
            found
        })
    }
}

/// A step near the golden section of `total` that has no divisor in common with it, so that the steps visit everything.
fn stride(total: u64) -> u64 {
    let golden = u128::from(total) * 618_033_989 / 1_000_000_000;
    let mut step = u64::try_from(golden).unwrap_or(1).max(1);
    while common_divisor(step, total) != 1 {
        step += 1;
    }
    step
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::Conditions;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn set(weights: &[u32]) -> EndpointSet {
        let endpoints = weights
            .iter()
            .enumerate()
            .map(|(i, &weight)| Endpoint::new(i.to_string(), 80).with_weight(weight));
        EndpointSet::new("x", endpoints.collect())
    }

    #[test]
    fn endpoints_of_the_same_weight_take_turns() {
        for n in 1..20 {
            let (set, turns) = (set(&vec![1; n]), RoundRobin::new());
            for _ in 0..3 {
                let mut seen: Vec<_> = (0..n).filter_map(|_| turns.pick(&set)).collect();
                seen.sort_by_key(|e| &e.host);
                seen.dedup();
                assert_eq!(seen.len(), n);
            }
        }
    }

    #[test]
    fn endpoints_that_may_not_be_called_are_skipped() {
        let gone = Endpoint::new("gone", 80).with_conditions(Conditions {
            ready: false,
            serving: false,
            terminating: true,
        });
        let unloved = Endpoint::new("unloved", 80).with_weight(0);
        let turns = RoundRobin::new();
        for (endpoints, expected) in [
            (vec![], None),
            (vec![gone.clone(), unloved.clone()], None),
            (vec![gone, unloved, Endpoint::new("good", 80)], Some("good")),
        ] {
            let set = EndpointSet::new("x", endpoints);
            for _ in 0..5 {
                assert_eq!(turns.pick(&set).map(|e| e.host.as_str()), expected);
            }
        }
    }

    #[test]
    fn heavy_endpoints_do_not_get_their_calls_in_a_row() {
        let (set, turns) = (set(&[100, 100]), RoundRobin::new());
        let picks: Vec<_> = (0..200).filter_map(|_| turns.pick(&set)).collect();
        let longest = picks.chunk_by(|a, b| a == b).map(<[_]>::len).max();
        assert!(longest <= Some(3), "{longest:?}");
    }

    proptest! {
        #[test]
        fn each_endpoint_gets_exactly_its_weight(weights in prop::collection::vec(0_u32..50, 1..12)) {
            let (set, turns) = (set(&weights), RoundRobin::new());
            let mut got = BTreeMap::<String, u32>::new();
            for _ in 0..weights.iter().sum() {
                let picked = turns.pick(&set).unwrap();
                *got.entry(picked.host.clone()).or_default() += 1;
            }
            for (i, &weight) in weights.iter().enumerate() {
                prop_assert_eq!(got.get(&i.to_string()).copied().unwrap_or(0), weight);
            }
        }
    }
}
