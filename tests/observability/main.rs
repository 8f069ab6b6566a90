//! What can be seen of a service from outside, with the real servers that look at it: traces, metrics, logs, probes, the
//! configuration, and the generated files in `schemas/`.
mod collector;
mod hostile_logs;
mod levels;
mod metrics_page;
mod one_trace;
mod otel;
mod pieces;
mod probes;
mod reload;
mod schemas;
mod stdout_full;
mod support;
mod yaml_files;
