//! What the files of a control group say: the kernel's `cgroup-v2.rst`, and `cgroup-v1/`.
use std::time::Duration;

/// A limit of version 1 from here on is none: the kernel writes the largest multiple of a page.
const UNLIMITED: u64 = 1 << 62;

/// How often and how long a group had to wait for CPU time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Throttling {
    pub(super) periods: u64,
    pub(super) throttled_periods: u64,
    pub(super) throttled: Duration,
}

/// The path of the process' group in the one hierarchy of version 2, from `/proc/self/cgroup`.
pub(super) fn unified_path(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The controllers that share a hierarchy of version 1 with `controller`, as they are mounted, and the path of the process'
/// group in it.
pub(super) fn legacy_path<'a>(text: &'a str, controller: &str) -> Option<(&'a str, &'a str)> {
    text.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let named = controllers.split(',').any(|name| name == controller);
        named.then_some((controllers, path))
    })
}

/// CPUs from `cpu.max`, which is `QUOTA PERIOD` or `max PERIOD`.
pub(super) fn cpu_max(text: &str) -> Option<f64> {
    let mut words = text.split_ascii_whitespace();
    cpus(words.next()?, words.next()?)
}

/// CPUs from `cpu.cfs_quota_us`, which is -1 without a limit, and `cpu.cfs_period_us`.
pub(super) fn cpus(quota: &str, period: &str) -> Option<f64> {
    let quota: u64 = quota.trim().parse().ok()?;
    let period: u64 = period.trim().parse().ok()?;
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// A number of bytes; `None` for `max` and what version 1 writes for it.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let bytes = text.trim().parse().ok()?;
    (bytes < UNLIMITED).then_some(bytes)
}

/// Bytes of files that were not read lately, from `memory.stat`; version 1 adds up those of the groups below.
pub(super) fn inactive_file(text: &str) -> Option<u64> {
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(' '));
        let (_, value) = fields.find(|(field, _)| *field == name)?;
        value.trim().parse().ok()
    };
    field("total_inactive_file").or_else(|| field("inactive_file"))
}

/// Reads `cpu.stat`, in which version 2 counts microseconds and version 1 nanoseconds.
pub(super) fn throttling(text: &str) -> Option<Throttling> {
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(' '));
        let (_, value) = fields.find(|(field, _)| *field == name)?;
        value.trim().parse::<u64>().ok()
    };
    let throttled = match field("throttled_usec") {
        Some(micros) => Duration::from_micros(micros),
        None => Duration::from_nanos(field("throttled_time")?),
    };
    Some(Throttling {
        periods: field("nr_periods")?,
        throttled_periods: field("nr_throttled")?,
        throttled,
    })
}
