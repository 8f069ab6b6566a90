//! Which clock was read.
use std::fs;

/// What `std::time::Instant` reads, and whether the processor's time stamps could stand for it.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench says on what it ran; no service reads this"
)]
pub(crate) fn source() -> String {
    let kernel = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let kernel = fs::read_to_string(kernel).unwrap_or_default();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = cpu.lines().find(|line| line.starts_with("flags"));
    let invariant = flags.is_some_and(|flags| {
        let has = |name| flags.split_whitespace().any(|flag| flag == name);
        has("constant_tsc") && has("nonstop_tsc")
    });
    let name = match kernel.trim() {
        "" => "unknown to us",
        name => name,
    };
    let tsc = if invariant {
        "invariant"
    } else {
        "not invariant, or none"
    };
    format!("std::time::Instant, by the system's clock source {name}; time stamp counter: {tsc}")
}
