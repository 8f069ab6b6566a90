use super::{state::*, *};
use crate::telemetry::metrics::{Registry, Value, tests::root::Root};
use std::{path::Path, time::Duration};

/// The names and values that the registry shows.
fn seen(root: &Path) -> Vec<(&'static str, Value)> {
    let registry = Registry::new();
    register(&registry, root);
    let metrics = registry.snapshot().metrics;
    let first =
        |m: crate::telemetry::metrics::MetricSnapshot| (m.desc.name, m.series[0].value.clone());
    metrics.into_iter().map(first).collect()
}

const STAT_V2: &str = "usage_usec 9000000\nuser_usec 1\nsystem_usec 2\nnr_periods 100\n\
    nr_throttled 25\nthrottled_usec 1500000\nnr_bursts 0\nburst_usec 0\n";
const STAT_V1: &str = "nr_periods 10\nnr_throttled 5\nthrottled_time 2500000000\n";

#[test]
fn the_files_are_read_as_the_kernel_writes_them() {
    for (text, cpus) in [
        ("150000 100000\n", Some(1.5)),
        ("max 100000\n", None),
        ("0 100000", None),
        ("100000 0", None),
        ("100000", None),
        ("", None),
    ] {
        assert_eq!(cpu_max(text), cpus, "{text}");
    }
    assert_eq!(cpus("-1\n", "100000\n"), None);
    assert_eq!(cpus("50000\n", "100000\n"), Some(0.5));
    for (text, limit) in [
        ("536870912\n", Some(536_870_912)),
        ("max\n", None),
        ("9223372036854771712\n", None),
        ("x", None),
    ] {
        assert_eq!(bytes(text), limit, "{text}");
    }
    let throttled = |text| throttling(text).map(|t| t.throttled);
    assert_eq!(throttled(STAT_V2), Some(Duration::from_millis(1500)));
    assert_eq!(throttled(STAT_V1), Some(Duration::from_millis(2500)));
    assert_eq!(throttled("usage_usec 1\n"), None);

    let hybrid = "12:memory:/docker/a\n3:cpu,cpuacct:/docker/b\n0::/docker/c\n";
    assert_eq!(unified_path(hybrid), Some("/docker/c"));
    assert_eq!(
        legacy_path(hybrid, "cpu"),
        Some(("cpu,cpuacct", "/docker/b"))
    );
    assert_eq!(legacy_path(hybrid, "memory"), Some(("memory", "/docker/a")));
    assert_eq!(legacy_path(hybrid, "cpuset"), None);
}

#[test]
fn a_container_sees_its_own_group_as_the_mount() {
    let root = Root::with(
        "container",
        &[
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/cpu.stat", STAT_V2),
            ("sys/fs/cgroup/memory.current", "1048576\n"),
            ("sys/fs/cgroup/memory.max", "536870912\n"),
        ],
    );
    assert_eq!(cpu_limit(root.path()), Some(1.5));
    assert_eq!(
        seen(root.path()),
        [
            (
                "detectviz_cgroup_memory_usage_bytes",
                Value::Gauge(1_048_576.0)
            ),
            (
                "detectviz_cgroup_memory_limit_bytes",
                Value::Gauge(536_870_912.0)
            ),
            ("detectviz_cgroup_cpu_limit", Value::Gauge(1.5)),
            ("detectviz_cgroup_cpu_periods_total", Value::Counter(100)),
            (
                "detectviz_cgroup_cpu_throttled_periods_total",
                Value::Counter(25)
            ),
            (
                "detectviz_cgroup_cpu_throttled_seconds_total",
                Value::CounterF64(1.5)
            ),
        ]
    );
}

#[test]
fn the_least_limit_on_the_way_up_counts() {
    let root = Root::with(
        "nested",
        &[
            ("proc/self/cgroup", "0::/pod/app\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/pod/cpu.max", "200000 100000\n"),
            ("sys/fs/cgroup/pod/memory.max", "1000\n"),
            ("sys/fs/cgroup/pod/memory.current", "900\n"),
            ("sys/fs/cgroup/pod/app/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/pod/app/memory.max", "2000\n"),
            ("sys/fs/cgroup/pod/app/memory.current", "500\n"),
        ],
    );
    assert_eq!(cpu_limit(root.path()), Some(2.0));
    assert_eq!(
        seen(root.path()),
        [
            ("detectviz_cgroup_memory_usage_bytes", Value::Gauge(500.0)),
            ("detectviz_cgroup_memory_limit_bytes", Value::Gauge(1000.0)),
            ("detectviz_cgroup_cpu_limit", Value::Gauge(2.0)),
        ]
    );
}

#[test]
fn version_1_is_read_where_only_that_is_mounted() {
    let files = [
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.stat", STAT_V1),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "4096\n"),
        (
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712\n",
        ),
        (
            "proc/self/cgroup",
            "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
        ),
    ];
    let root = Root::with("cgroup-legacy", &files);
    assert_eq!(cpu_limit(root.path()), Some(0.5));
    assert_eq!(
        seen(root.path()),
        [
            ("detectviz_cgroup_memory_usage_bytes", Value::Gauge(4096.0)),
            ("detectviz_cgroup_cpu_limit", Value::Gauge(0.5)),
            ("detectviz_cgroup_cpu_periods_total", Value::Counter(10)),
            (
                "detectviz_cgroup_cpu_throttled_periods_total",
                Value::Counter(5)
            ),
            (
                "detectviz_cgroup_cpu_throttled_seconds_total",
                Value::CounterF64(2.5)
            ),
        ]
    );
}

#[test]
fn memory_in_use_leaves_out_what_the_kernel_takes_back_first() {
    let v1 = "cache 1\ninactive_file 5\ntotal_cache 9\ntotal_inactive_file 400\n";
    assert_eq!(inactive_file(v1), Some(400));
    assert_eq!(inactive_file("anon 1\n"), None);
    let root = Root::with(
        "working-set",
        &[
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/memory.current", "950\n"),
            ("sys/fs/cgroup/memory.max", "1000\n"),
            ("sys/fs/cgroup/memory.stat", "anon 5\ninactive_file 300\n"),
        ],
    );
    assert_eq!(memory_utilization(root.path(), 0.9), Some(0.65));
    assert_eq!(memory_utilization(root.path(), 0.96), Some(0.95));
    assert_eq!(memory_utilization(Path::new("/does/not/exist"), 0.9), None);
}

#[test]
fn a_path_outside_the_mount_is_not_followed() {
    let root = Root::with(
        "outside",
        &[
            ("proc/self/cgroup", "0::/../../secret\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu\n"),
            ("sys/secret/cpu.max", "100000 100000\n"),
            ("sys/fs/cgroup/cpu.max", "300000 100000\n"),
        ],
    );
    assert_eq!(cpu_limit(root.path()), Some(3.0));
}

#[test]
fn without_control_groups_everything_is_absent() {
    let nowhere = Path::new("/does/not/exist");
    assert_eq!(cpu_limit(nowhere), None);
    assert_eq!(seen(nowhere), []);
}
