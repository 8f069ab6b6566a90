//! What a keeper promises, on a paused clock, with a store that does as it is told.
mod cache;
mod leases;
mod schedule;
pub(crate) mod support;
