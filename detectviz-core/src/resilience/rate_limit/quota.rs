//! The terms of a limit, packed into one word so that they are read and replaced as a whole.
use std::time::Duration;

/// How much may pass: one unit per emission interval, and a burst at once.
///
/// It fits into 64 bits, so that a live change is one store and a reader never sees the rate of one configuration with the
/// burst of another. Intervals up to 17 s are exact to the nanosecond; longer ones are rounded up by less than 10⁻¹⁰.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota(u64);

const BURST_BITS: u32 = 24;
const SHIFT_BITS: u32 = 6;
const MANTISSA_BITS: u32 = 64 - BURST_BITS - SHIFT_BITS;

// === impl Quota ===

impl Quota {
    /// The largest burst, in units.
    pub const MOST_BURST: u32 = (1 << BURST_BITS) - 1;

    /// The longest time that an empty bucket takes to fill, and with it the longest emission interval.
    pub const LONGEST_FILL: Duration = Duration::from_secs(24 * 60 * 60);

    /// `units` per `period`, and `burst` at once.
    ///
    /// The interval is rounded up to a whole nanosecond, so that never more passes than was said. Nothing of it is refused
    /// here: 0 units or a burst of 0 count as 1, a longer period than [`Quota::LONGEST_FILL`] as that, and a burst that
    /// takes longer than that to fill is cut.
    #[must_use]
    pub fn new(units: u32, period: Duration, burst: u32) -> Self {
        let longest = nanos(Self::LONGEST_FILL);
        let interval = nanos(period).div_ceil(u64::from(units.max(1)));
        let interval = interval.clamp(1, longest);
        let most = u32::try_from(longest / interval).unwrap_or(u32::MAX);
        let burst = burst.min(most).clamp(1, Self::MOST_BURST);
        let shift = (u64::BITS - interval.leading_zeros()).saturating_sub(MANTISSA_BITS);
        let mantissa = interval.div_ceil(1 << shift);
        let packed = (mantissa << SHIFT_BITS) | u64::from(shift);
        Self((packed << BURST_BITS) | u64::from(burst))
    }

    /// The emission interval: the time that one unit takes to come back, in nanoseconds, at least 1.
    #[must_use]
    #[inline]
    pub fn interval(self) -> u64 {
        let shift = (self.0 >> BURST_BITS) & ((1 << SHIFT_BITS) - 1);
        (self.0 >> (BURST_BITS + SHIFT_BITS)) << shift
    }

    /// How many units may pass at once, at least 1.
    #[must_use]
    #[inline]
    pub fn burst(self) -> u32 {
        (self.0 & u64::from(Self::MOST_BURST)) as u32
    }

    #[inline]
    pub(super) fn to_bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
