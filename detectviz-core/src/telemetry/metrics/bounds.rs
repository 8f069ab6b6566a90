//! Which bucket a value falls into.
use super::{Desc, Unit, text};

const NANOS: f64 = 1e9;

/// The upper bounds of a histogram's buckets as integers: nanoseconds for seconds, else the unit itself.
#[derive(Debug)]
pub(super) struct Bounds {
    /// As described.
    pub(super) described: &'static [f64],
    /// Whether integers are nanoseconds and shown as seconds.
    pub(super) seconds: bool,
    /// `le="0.005"} ` and so on, one more than the bounds.
    pub(super) le: Box<[Box<[u8]>]>,
    bounds: Box<[u64]>,
    /// For each count of bits of a value, the first bucket that may take it.
    first: [u8; 65],
}

impl Bounds {
    /// The largest number of buckets, `+Inf` included.
    pub(super) const MOST_BUCKETS: usize = 255;

    pub(super) fn new(desc: &Desc) -> Self {
        let seconds = desc.unit == Unit::Seconds;
        let integer = |bound: &f64| {
            // `as` saturates. Values are whole, so a fraction of the unit changes nothing.
            if seconds {
                (bound * NANOS).round() as u64
            } else {
                bound.floor() as u64
            }
        };
        let bounds: Box<[u64]> = desc.buckets.iter().map(integer).collect();
        let first_of = |bits: usize| {
            let least = if bits == 0 { 0 } else { 1 << (bits - 1) };
            let bucket = bounds.partition_point(|bound| *bound < least);
            u8::try_from(bucket).unwrap_or(u8::MAX)
        };
        let shown = desc.buckets.iter().map(|bound| text::canonical(*bound));
        let le = |bound: String| format!("le=\"{bound}\"}} ").into_bytes().into();
        Self {
            described: desc.buckets,
            seconds,
            le: shown.chain(["+Inf".to_owned()]).map(le).collect(),
            first: std::array::from_fn(first_of),
            bounds,
        }
    }

    /// How many buckets there are, `+Inf` included.
    pub(super) fn buckets(&self) -> usize {
        self.bounds.len() + 1
    }

    /// The bucket of `value`: the first whose bound is not below it. The value's highest bit says where to begin, so that
    /// there is a step or two to go.
    #[inline]
    pub(super) fn bucket(&self, value: u64) -> usize {
        let bits = u64::BITS - value.leading_zeros();
        let mut bucket = usize::from(self.first[bits as usize]);
        while self.bounds.get(bucket).is_some_and(|b| *b < value) {
            bucket += 1;
        }
        bucket
    }

    /// An integer in the metric's unit.
    pub(super) fn in_unit(&self, value: u64) -> f64 {
        if self.seconds {
            value as f64 / NANOS
        } else {
            value as f64
        }
    }

    /// Writes an integer in the metric's unit.
    pub(super) fn write(&self, out: &mut Vec<u8>, value: u64) {
        if self.seconds {
            text::nanos_as_seconds(out, value);
        } else {
            text::integer(out, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::{DURATION_BUCKETS, Kind};
    use proptest::prelude::*;

    static SECONDS: Desc = Desc {
        name: "seconds",
        help: "h",
        unit: Unit::Seconds,
        kind: Kind::Histogram,
        labels: &[],
        buckets: DURATION_BUCKETS,
    };
    static BYTES: Desc = Desc {
        name: "bytes",
        unit: Unit::Bytes,
        buckets: &[0.0, 1.0, 2.5, 3.0, 1024.0, 1_048_576.0],
        ..SECONDS
    };
    static NONE: Desc = Desc {
        buckets: &[],
        ..SECONDS
    };

    #[test]
    fn a_value_on_a_bound_belongs_to_the_bucket_below_it() {
        for (desc, value, bucket) in [
            (&SECONDS, 0, 0),
            (&SECONDS, 5_000_000, 0),
            (&SECONDS, 5_000_001, 1),
            (&SECONDS, 7_500_000_000, 12),
            (&SECONDS, 10_000_000_000, 13),
            (&SECONDS, 10_000_000_001, 14),
            (&SECONDS, u64::MAX, 14),
            (&BYTES, 0, 0),
            (&BYTES, 1, 1),
            (&BYTES, 2, 2),
            (&BYTES, 3, 3),
            (&BYTES, 1024, 4),
            (&BYTES, 1025, 5),
            (&BYTES, 1_048_577, 6),
            (&NONE, 7, 0),
        ] {
            let bounds = Bounds::new(desc);
            assert_eq!(bounds.bucket(value), bucket, "{value} of {}", desc.name);
        }
    }

    proptest! {
        #[test]
        fn the_short_cut_finds_what_a_plain_search_finds(value: u64, shift in 0_u32..64) {
            let value = value >> shift;
            for desc in [&SECONDS, &BYTES] {
                let bounds = Bounds::new(desc);
                let plain = bounds.bounds.partition_point(|bound| *bound < value);
                prop_assert_eq!(bounds.bucket(value), plain);
            }
        }
    }
}
