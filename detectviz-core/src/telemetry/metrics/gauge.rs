//! A value that goes up and down.
use super::{
    Value,
    cells::{Cells, Shards},
    exposed::{Measured, Prefixes},
    format::Format,
    text,
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A value that goes up and down, from 0. A gauge is either [set](Gauge::set) or [added to](Gauge::add); doing both is
/// allowed, but a fraction may then lose its last digits.
#[derive(Debug)]
pub struct Gauge {
    /// The bits of what was set, less what had been added then.
    base: AtomicU64,
    added: Cells,
}

impl Gauge {
    pub(super) fn new(shards: Shards) -> Self {
        Self {
            base: AtomicU64::new(0.0_f64.to_bits()),
            added: Cells::new(shards, 1),
        }
    }

    /// Makes the value `v`.
    pub fn set(&self, v: f64) {
        let base = v - self.added();
        self.base.store(base.to_bits(), Relaxed);
    }

    /// Adds `n`, which may be negative: one addition to a number that no other busy thread writes.
    #[inline]
    pub fn add(&self, n: i64) {
        self.added.add_to_first(n.cast_unsigned());
    }

    /// The value; what other threads add meanwhile may be in it or not.
    #[must_use]
    pub fn value(&self) -> f64 {
        f64::from_bits(self.base.load(Relaxed)) + self.added()
    }

    fn added(&self) -> f64 {
        self.added.sum(0).cast_signed() as f64
    }
}

impl Measured for Gauge {
    fn write(&self, prefixes: &Prefixes, _: Format, out: &mut Vec<u8>) {
        text::sample(out, &prefixes.value, |out| text::float(out, self.value()));
    }

    fn read(&self) -> Value {
        Value::Gauge(self.value())
    }
}
