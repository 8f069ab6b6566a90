use super::{state::*, *};
use crate::telemetry::metrics::{Registry, Value, tests::root::Root};
use std::path::Path;

const STAT: &str = "4242 (a (b) c) S 1 4242 4242 0 -1 4194560 1000 0 0 0 250 150 0 0 20 0 7 0 5000 104857600 2560 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";
const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
    Max cpu time              unlimited            unlimited            seconds   \n\
    Max open files            1024                 524288               files     \n";

#[test]
fn a_command_with_spaces_and_brackets_does_not_shift_the_fields() {
    let expected = Stat {
        cpu_ticks: 400,
        threads: 7,
        start_ticks: 5000,
        virtual_bytes: 104_857_600,
        resident_pages: 2560,
    };
    assert_eq!(stat(STAT), Some(expected));
    for broken in ["", "4242", "4242 (a)", "1 (a) S 1 2 3", "1 (a) S x"] {
        assert_eq!(stat(broken), None, "{broken}");
    }
}

#[test]
fn the_limit_of_open_files_is_the_soft_one() {
    assert_eq!(max_open_files(LIMITS), Some(1024.0));
    let unlimited = "Max open files            unlimited            unlimited            files";
    assert_eq!(max_open_files(unlimited), Some(f64::INFINITY));
    assert_eq!(max_open_files("Max cpu time 1 2 seconds"), None);
    assert_eq!(max_open_files("Max open files"), None);
}

#[test]
fn the_process_is_shown_under_prometheus_names() {
    let root = Root::with(
        "all",
        &[
            ("proc/self/stat", STAT),
            ("proc/self/limits", LIMITS),
            ("proc/self/fd/0", ""),
            ("proc/self/fd/1", ""),
            ("proc/stat", "cpu 1 2 3\nbtime 1700000000\nprocesses 5\n"),
        ],
    );
    let registry = Registry::new();
    register(&registry, root.path());
    let seen = registry.snapshot();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let page_size = rustix::param::page_size() as f64;
    for (name, value) in [
        (
            "process_cpu_seconds_total",
            Value::CounterF64(400.0 / ticks),
        ),
        (
            "process_resident_memory_bytes",
            Value::Gauge(2560.0 * page_size),
        ),
        ("process_virtual_memory_bytes", Value::Gauge(104_857_600.0)),
        (
            "process_start_time_seconds",
            Value::Gauge(1_700_000_000.0 + 5000.0 / ticks),
        ),
        ("process_open_fds", Value::Gauge(2.0)),
        ("process_max_fds", Value::Gauge(1024.0)),
        ("process_threads", Value::Gauge(7.0)),
    ] {
        assert_eq!(seen.value(name, &[]), Some(&value), "{name}");
    }
    assert_eq!(seen.metrics.len(), 7);
}

#[test]
fn what_cannot_be_read_is_absent() {
    let root = Root::with(
        "some",
        &[("proc/self/stat", STAT), ("proc/self/limits", "?")],
    );
    let registry = Registry::new();
    register(&registry, root.path());
    let seen = registry.snapshot();
    let names: Vec<_> = seen.metrics.iter().map(|m| m.desc.name).collect();
    assert_eq!(
        names,
        [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_virtual_memory_bytes",
            "process_threads",
        ]
    );
    let nowhere = Registry::new();
    register(&nowhere, Path::new("/does/not/exist"));
    assert!(nowhere.snapshot().metrics.is_empty());
    assert_eq!(nowhere.describe().len(), 8);
}
