//! Every metric name of this crate, in one place.

/// How long calls took, from their start to the end of the response's body.
pub const CLIENT_REQUEST_DURATION: &str = "http.client.request.duration";
/// How many calls are under way.
pub const CLIENT_ACTIVE_REQUESTS: &str = "http.client.active_requests";
/// How long requests took, from their head to the end of their response's body.
pub const SERVER_REQUEST_DURATION: &str = "http.server.request.duration";
/// How many requests are being answered.
pub const SERVER_ACTIVE_REQUESTS: &str = "http.server.active_requests";
/// Requests that a server began.
pub const SERVER_REQUESTS_STARTED: &str = "detectviz_http_server_requests_started_total";
/// Requests of a server that ended, by outcome.
pub const SERVER_REQUESTS: &str = "detectviz_http_server_requests_total";
/// Requests by method, route and status, for the platform's canary and autoscaling queries.
pub const REQUESTS: &str = "http_requests_total";
/// Panics in handlers.
pub const PANICS: &str = "detectviz_http_panics_total";
/// Headers of trace context and baggage that broke their specification.
pub const PROPAGATION_MALFORMED: &str = "detectviz_http_propagation_malformed_total";
// server

/// Open connections of a server.
pub const SERVER_CONNECTIONS: &str = "detectviz_http_server_connections";
/// Connections that a server accepted.
pub const SERVER_ACCEPTED: &str = "detectviz_http_server_connections_accepted_total";
/// Connections of a server that ended.
pub const SERVER_CLOSED: &str = "detectviz_http_server_connections_closed_total";
/// How often a server had to stop accepting.
pub const SERVER_ACCEPT_PAUSES: &str = "detectviz_http_server_accept_pauses_total";
/// How often the certificate of a server was read again.
pub const SERVER_TLS_RELOADS: &str = "detectviz_http_server_tls_reloads_total";

// client

/// Calls to hosts that were too many to be remembered.
pub const CLIENT_UPSTREAM_OVERFLOW: &str = "detectviz_http_client_upstream_overflow_total";
