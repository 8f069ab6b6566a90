mod cache;
mod leases;
mod schedule;
pub(crate) mod support;
