//! Every metric name of this crate, in one place.

/// How long calls took, from their start to the end of the response's body.
pub const CLIENT_REQUEST_DURATION: &str = "http.client.request.duration";
/// How many calls are under way.
pub const CLIENT_ACTIVE_REQUESTS: &str = "http.client.active_requests";
/// How long requests took, from their head to the end of their response's body.
pub const SERVER_REQUEST_DURATION: &str = "http.server.request.duration";
/// How many requests are being answered.
pub const SERVER_ACTIVE_REQUESTS: &str = "http.server.active_requests";
/// Requests by method, route and status, for the platform's canary and autoscaling queries.
pub const REQUESTS: &str = "http_requests_total";
/// Panics in handlers.
pub const PANICS: &str = "detectviz_http_panics_total";
/// Headers of trace context and baggage that broke their specification.
pub const PROPAGATION_MALFORMED: &str = "detectviz_http_propagation_malformed_total";
