//! Metrics and the access log of a request.
