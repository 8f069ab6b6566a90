//! Logs: one JSON object a line.
