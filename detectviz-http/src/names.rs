//! Every metric name of this crate, in one place.

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
