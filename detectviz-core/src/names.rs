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
// resilience::bulkhead

/// Calls that a bulkhead lets run.
pub const BULKHEAD_IN_FLIGHT: &str = "detectviz_bulkhead_in_flight";
/// Calls that wait in front of a bulkhead.
pub const BULKHEAD_QUEUED: &str = "detectviz_bulkhead_queued";
/// Calls that a bulkhead lets run at once.
pub const BULKHEAD_LIMIT: &str = "detectviz_bulkhead_limit";
/// Calls that a bulkhead refused, by reason.
pub const BULKHEAD_REFUSED: &str = "detectviz_bulkhead_refused_total";
/// How long calls waited in front of a bulkhead.
pub const BULKHEAD_WAIT: &str = "detectviz_bulkhead_wait_duration_seconds";
// resilience::retry

/// Attempts of calls, the first ones included.
pub const RETRY_ATTEMPTS: &str = "detectviz_retry_attempts_total";
/// Attempts that were to be repeated, by what failed.
pub const RETRY_RETRIES: &str = "detectviz_retry_retries_total";
/// Failed calls that were not retried, by why.
pub const RETRY_REFUSED: &str = "detectviz_retry_refused_total";
/// How many retries the budget allows now.
pub const RETRY_BUDGET_BALANCE: &str = "detectviz_retry_budget_balance";

// resilience::hedge

/// Calls that a hedge answered before the first attempt did.
pub const HEDGE_WON: &str = "detectviz_hedge_won_total";
/// Hedges that were sent.
pub const HEDGE_SENT: &str = "detectviz_hedge_sent_total";
/// Hedges that the budget refused.
pub const HEDGE_DENIED: &str = "detectviz_hedge_denied_total";
/// After which time a call is hedged.
pub const HEDGE_DELAY: &str = "detectviz_hedge_delay_seconds";

// resilience::fallback

/// Failed calls that were answered otherwise, by what had failed and whether that went well.
pub const FALLBACK_CALLS: &str = "detectviz_fallback_calls_total";
// resilience::deadline

/// Requests that were refused or given up because their deadline had passed.
pub const DEADLINE_EXCEEDED: &str = "detectviz_deadline_exceeded_total";
/// Requests whose timeout could not be read.
pub const DEADLINE_MALFORMED: &str = "detectviz_deadline_malformed_total";

// resilience::adaptive

/// Latency that calls are taken to have without a queue.
pub const ADAPTIVE_BASELINE: &str = "detectviz_adaptive_baseline_seconds";
// resilience::breaker

/// Circuits, by their state.
pub const BREAKER_STATE: &str = "detectviz_breaker_state";
/// Changes of a circuit's state, by the new one.
pub const BREAKER_TRANSITIONS: &str = "detectviz_breaker_transitions_total";
/// Calls that a circuit refused.
pub const BREAKER_REFUSED: &str = "detectviz_breaker_refused_total";
/// Thresholds of a circuit that were reached.
pub const BREAKER_EXCEEDED: &str = "detectviz_breaker_exceeded_total";
// balance

/// Endpoints of a service, by whether they take calls.
pub const BALANCE_ENDPOINTS: &str = "detectviz_balance_endpoints";
/// Calls that an endpoint was given and that have ended.
pub const BALANCE_PICKS: &str = "detectviz_balance_picks_total";
/// Ejections of endpoints, by reason.
pub const BALANCE_EJECTIONS: &str = "detectviz_balance_ejections_total";
/// Calls for which there was no endpoint, by reason.
pub const BALANCE_REFUSALS: &str = "detectviz_balance_refusals_total";

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

// resilience::policy

/// Calls that were guarded by a policy and have ended, by how.
pub const POLICY_CALLS: &str = "detectviz_policy_calls_total";
