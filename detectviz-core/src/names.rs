//! Every metric name of this crate, in one place.

/// Log lines written, by level.
pub const LOG_WRITTEN: &str = "detectviz_log_written_total";
/// Log lines dropped, by level: there was no room, or the output refused them.
pub const LOG_DROPPED: &str = "detectviz_log_dropped_total";
/// Failed writes of log lines.
pub const LOG_WRITE_ERRORS: &str = "detectviz_log_write_errors_total";
