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

// telemetry::otlp

/// Spans that were taken over, by what became of them at the queue.
pub const OTEL_PROCESSOR_SPAN_PROCESSED: &str = "otel.sdk.processor.span.processed";
/// Spans that wait to be exported.
pub const OTEL_PROCESSOR_SPAN_QUEUE_SIZE: &str = "otel.sdk.processor.span.queue.size";
/// How many spans may wait.
pub const OTEL_PROCESSOR_SPAN_QUEUE_CAPACITY: &str = "otel.sdk.processor.span.queue.capacity";
/// Spans whose export has ended, by how.
pub const OTEL_EXPORTER_SPAN_EXPORTED: &str = "otel.sdk.exporter.span.exported";
/// Data points of metrics whose export has ended, by how.
pub const OTEL_EXPORTER_POINT_EXPORTED: &str = "otel.sdk.exporter.metric_data_point.exported";
/// Log lines written, by level.
pub const LOG_WRITTEN: &str = "detectviz_log_written_total";
/// Log lines dropped, by level: there was no room, or the output refused them.
pub const LOG_DROPPED: &str = "detectviz_log_dropped_total";
/// Failed writes of log lines.
pub const LOG_WRITE_ERRORS: &str = "detectviz_log_write_errors_total";
// health

/// Whether a health check passes: 1, or 0.
pub const HEALTH_CHECK_STATUS: &str = "detectviz_health_check_status";
/// How long the runs of a health check took.
pub const HEALTH_CHECK_DURATION: &str = "detectviz_health_check_duration_seconds";
/// Whether the service is ready: 1, or 0.
pub const HEALTH_READY: &str = "detectviz_health_ready";

// resilience::rate_limit

/// Requests that a rate limit let pass, by policy.
pub const RATE_LIMIT_ALLOWED: &str = "detectviz_rate_limit_allowed_total";
/// Requests that a rate limit refused, by policy.
pub const RATE_LIMIT_LIMITED: &str = "detectviz_rate_limit_limited_total";
/// Requests whose key took the bucket of an active key.
pub const RATE_LIMIT_EVICTIONS: &str = "detectviz_rate_limit_evictions_total";
/// Requests that passed without being counted.
pub const RATE_LIMIT_UNTRACKED: &str = "detectviz_rate_limit_untracked_total";
/// Keys whose bucket is not full.
pub const RATE_LIMIT_KEYS: &str = "detectviz_rate_limit_keys";

// resilience::shed

/// Requests that were refused because the process was overloaded, by reason and priority.
pub const SHED_REQUESTS: &str = "detectviz_shed_requests_total";
/// The share of the requests of a priority that is refused.
pub const SHED_CHANCE: &str = "detectviz_shed_chance_ratio";
/// CPU time, as a share of what the process may use.
pub const SHED_CPU: &str = "detectviz_shed_cpu_utilization_ratio";
/// Memory, as a share of the limit.
pub const SHED_MEMORY: &str = "detectviz_shed_memory_utilization_ratio";
/// How long work waits before it is begun.
pub const SHED_QUEUE_DELAY: &str = "detectviz_shed_queue_delay_seconds";
