//! Metrics: handles that are registered once and recorded without a lock.
