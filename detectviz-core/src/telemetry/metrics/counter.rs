//! A total that only grows.
use super::{
    Value,
    cells::{Cells, Shards},
    exposed::{Measured, Prefixes},
    format::Format,
    text,
};

/// A total that only grows, from 0. Recording is one addition to a number that no other busy thread writes, without a
/// lock on its cache line where the thread has a shard of its own.
#[derive(Debug)]
pub struct Counter {
    cells: Cells,
}

impl Counter {
    pub(super) fn new(shards: Shards) -> Self {
        let cells = Cells::new(shards, 1);
        Self { cells }
    }

    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.cells.add_to_first(n);
    }

    /// The total; what other threads add meanwhile may be in it or not.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.cells.sum(0)
    }
}

impl Measured for Counter {
    fn write(&self, prefixes: &Prefixes, _: Format, out: &mut Vec<u8>) {
        text::sample(out, &prefixes.value, |out| text::integer(out, self.value()));
    }

    fn read(&self) -> Value {
        Value::Counter(self.value())
    }
}
