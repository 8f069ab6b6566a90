//! Which runtime a log line or a span belongs to.
