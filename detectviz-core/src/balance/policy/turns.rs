//! Positions in turn, by weight, in constant time.

/// Over as many turns as the weights add up to, each position gets exactly its weight. The turns are spread by the golden
/// ratio, so that a weight of 100 is not 100 calls in a row (Knuth, The Art of Computer Programming, volume 3, 6.4:
/// multiplicative hashing).
#[derive(Debug)]
pub(in crate::balance) struct Turns {
    total: u64,
    stride: u64,
    /// `None` when all weights are the same.
    index: Option<Index>,
}

/// Finds the position whose stretch of the weights holds a number: a guide says where to begin, and then takes two steps on
/// the average (Chen and Asau, On generating random variates from an empirical distribution, 1974).
#[derive(Debug)]
struct Index {
    /// Where the stretch of each position ends.
    ends: Box<[u64]>,
    guide: Box<[u32]>,
}

impl Turns {
    /// `weights` of more than 0 each.
    pub(in crate::balance) fn new(weights: &[u32]) -> Self {
        let divisor = weights
            .iter()
            .fold(0, |d, &w| common_divisor(d, u64::from(w)));
        let parts = || weights.iter().map(|&w| u64::from(w) / divisor.max(1));
        let total: u64 = parts().sum();
        let same = total == weights.len() as u64;
        Self {
            total,
            stride: stride(total),
            index: (!same).then(|| Index::new(parts(), total)),
        }
    }

    /// The position of a turn; 0 when there are none.
    #[inline]
    pub(in crate::balance) fn at(&self, turn: u64) -> usize {
        if self.total == 0 {
            return 0;
        }
        let turn = turn % self.total;
        let at = match turn.checked_mul(self.stride) {
            Some(product) => product % self.total,
            None => (u128::from(turn) * u128::from(self.stride) % u128::from(self.total)) as u64,
        };
        self.index
            .as_ref()
            .map_or(at as usize, |index| index.of(at, self.total))
    }
}

impl Index {
    fn new(parts: impl ExactSizeIterator<Item = u64>, total: u64) -> Self {
        let mut end = 0;
        let ends: Box<[u64]> = parts
            .map(|part| {
                end += part;
                end
            })
            .collect();
        let columns = ends.len() as u64;
        let mut at = 0;
        let guide = (0..columns).map(|column| {
            // The least number of the column.
            let least = (u128::from(column) * u128::from(total)).div_ceil(u128::from(columns));
            while u128::from(ends[at as usize]) <= least && at + 1 < columns as u32 {
                at += 1;
            }
            at
        });
        Self {
            guide: guide.collect(),
            ends,
        }
    }

    fn of(&self, number: u64, total: u64) -> usize {
        let column = u128::from(number) * self.guide.len() as u128 / u128::from(total);
        let mut at = self.guide[column as usize] as usize;
        while self.ends[at] <= number {
            at += 1;
        }
        at
    }
}

/// A step near the golden section of `total` that has no divisor in common with it, so that the steps visit everything.
fn stride(total: u64) -> u64 {
    let golden = u128::from(total) * 618_033_989 / 1_000_000_000;
    let mut step = u64::try_from(golden).unwrap_or(1).max(1);
    while common_divisor(step, total) > 1 {
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
    use proptest::prelude::*;

    #[test]
    fn heavy_positions_do_not_get_their_turns_in_a_row() {
        let turns = Turns::new(&[100, 101]);
        let all: Vec<_> = (0..201).map(|turn| turns.at(turn)).collect();
        let longest = all.chunk_by(|a, b| a == b).map(<[_]>::len).max();
        assert!(longest <= Some(3), "{longest:?}");
    }

    #[test]
    fn the_largest_weights_neither_overflow_nor_take_long() {
        let turns = Turns::new(&[u32::MAX, 1, u32::MAX]);
        for turn in [0, 1, u64::MAX / 3, u64::MAX] {
            assert!(turns.at(turn) < 3);
        }
        assert_eq!(Turns::new(&[]).at(7), 0);
    }

    proptest! {
        #[test]
        fn each_position_gets_exactly_its_weight(
            weights in prop::collection::vec(1_u32..50, 1..12),
            times in 1_u32..5,
            from in 0_u64..1000,
        ) {
            let weights: Vec<_> = weights.iter().map(|w| w * times).collect();
            let turns = Turns::new(&weights);
            let mut got = vec![0; weights.len()];
            for turn in 0..weights.iter().sum::<u32>() {
                got[turns.at(from + u64::from(turn))] += 1;
            }
            prop_assert_eq!(got, weights);
        }
    }
}
