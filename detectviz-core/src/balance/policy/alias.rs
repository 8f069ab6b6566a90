//! A position at random by weight, in constant time.
use super::below;

/// Vose's alias method (A linear algorithm for generating random numbers with a given distribution, IEEE TSE 1991): each
/// column holds at most two positions.
#[derive(Debug)]
pub(in crate::balance) struct Alias {
    columns: Box<[Column]>,
}

#[derive(Clone, Copy, Debug)]
struct Column {
    /// Below it the column's own position, from it on the other; of 2³².
    own: u64,
    other: u32,
}

const WHOLE: f64 = (1_u64 << 32) as f64;

impl Alias {
    /// `None` when all weights are the same, or there are none: then any position is as good.
    pub(in crate::balance) fn new(weights: &[u32]) -> Option<Self> {
        if weights.windows(2).all(|pair| pair[0] == pair[1]) {
            return None;
        }
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let scale = weights.len() as f64 / total as f64;
        let mut left: Vec<f64> = weights.iter().map(|&w| f64::from(w) * scale).collect();
        let full = |at| Column {
            own: WHOLE as u64,
            other: at as u32,
        };
        let mut columns: Vec<Column> = (0..weights.len()).map(full).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..left.len()).partition(|&at| left[at] < 1.0);
        while let (Some(less), Some(&more)) = (small.pop(), large.last()) {
            columns[less] = Column {
                own: (left[less] * WHOLE).round() as u64,
                other: more as u32,
            };
            left[more] -= 1.0 - left[less];
            if left[more] < 1.0 {
                large.pop();
                small.push(more);
            }
        }
        Some(Self {
            columns: columns.into(),
        })
    }

    /// The position for 64 random bits.
    #[inline]
    pub(in crate::balance) fn at(&self, random: u64) -> usize {
        let at = below(self.columns.len(), random >> 32);
        let column = self.columns[at];
        if random & 0xffff_ffff < column.own {
            at
        } else {
            column.other as usize
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn weights_that_are_the_same_need_no_columns() {
        for (weights, needed) in [
            (&[][..], false),
            (&[7], false),
            (&[3, 3], false),
            (&[1, 2], true),
        ] {
            assert_eq!(Alias::new(weights).is_some(), needed, "{weights:?}");
        }
    }

    proptest! {
        #[test]
        fn the_columns_hold_exactly_the_weights(weights in prop::collection::vec(0_u32..1000, 2..50)) {
            let total: u32 = weights.iter().sum();
            let Some(alias) = Alias::new(&weights) else { return Ok(()) };
            let mut held = vec![0.0; weights.len()];
            for (at, column) in alias.columns.iter().enumerate() {
                let own = column.own as f64 / WHOLE;
                held[at] += own;
                held[column.other as usize] += 1.0 - own;
            }
            for (held, weight) in held.iter().zip(&weights) {
                let expected = f64::from(*weight) / f64::from(total) * weights.len() as f64;
                prop_assert!((held - expected).abs() < 1e-6, "{held} {expected}");
            }
        }
    }
}
