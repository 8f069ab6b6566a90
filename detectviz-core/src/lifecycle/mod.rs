//! The lifecycle: start in order, serve, drain, flush.
