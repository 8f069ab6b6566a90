//! Every metric name of this crate, in one place.
