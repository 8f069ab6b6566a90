//! Every metric name of this crate, in one place.

/// How long calls took, from their start to the end of the response's body.
pub const CLIENT_REQUEST_DURATION: &str = "http.client.request.duration";
/// How many calls are under way.
pub const CLIENT_ACTIVE_REQUESTS: &str = "http.client.active_requests";
