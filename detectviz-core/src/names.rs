//! Every metric name of this crate, in one place.

// telemetry::metrics

/// Lookups that went to an overflow series.
pub const METRICS_OVERFLOW: &str = "detectviz_metrics_overflow_total";
/// What runs: always 1.
pub const BUILD_INFO: &str = "detectviz_build_info";
/// CPU time of the process, in user and system mode.
pub const PROCESS_CPU: &str = "process_cpu_seconds_total";
/// Resident memory of the process.
pub const PROCESS_RESIDENT_MEMORY: &str = "process_resident_memory_bytes";
/// Virtual memory of the process.
pub const PROCESS_VIRTUAL_MEMORY: &str = "process_virtual_memory_bytes";
/// Open file descriptors of the process.
pub const PROCESS_OPEN_FDS: &str = "process_open_fds";
/// The most file descriptors that the process may have open.
pub const PROCESS_MAX_FDS: &str = "process_max_fds";
/// When the process started.
pub const PROCESS_START_TIME: &str = "process_start_time_seconds";
/// Threads of the process.
pub const PROCESS_THREADS: &str = "process_threads";
/// Memory of the control group.
pub const CGROUP_MEMORY_USAGE: &str = "detectviz_cgroup_memory_usage_bytes";
/// The most memory that the control group may use.
pub const CGROUP_MEMORY_LIMIT: &str = "detectviz_cgroup_memory_limit_bytes";
/// The CPUs that the control group may use.
pub const CGROUP_CPU_LIMIT: &str = "detectviz_cgroup_cpu_limit";
/// Periods in which the control group's CPU time was limited.
pub const CGROUP_CPU_PERIODS: &str = "detectviz_cgroup_cpu_periods_total";
/// Periods in which the control group used up its CPU time.
pub const CGROUP_CPU_THROTTLED_PERIODS: &str = "detectviz_cgroup_cpu_throttled_periods_total";
/// How long the control group waited for CPU time.
pub const CGROUP_CPU_THROTTLED: &str = "detectviz_cgroup_cpu_throttled_seconds_total";
/// Worker threads of a tokio runtime.
pub const TOKIO_WORKERS: &str = "detectviz_tokio_workers";
/// Tasks of a tokio runtime that have not ended.
pub const TOKIO_ALIVE_TASKS: &str = "detectviz_tokio_alive_tasks";
/// Tasks that wait in the global queue of a tokio runtime.
pub const TOKIO_GLOBAL_QUEUE_DEPTH: &str = "detectviz_tokio_global_queue_depth";
/// How long the workers of a tokio runtime were at work.
pub const TOKIO_BUSY: &str = "detectviz_tokio_busy_seconds_total";
