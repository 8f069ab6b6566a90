//! Every metric name of this crate, in one place.

/// Secrets that were asked for, by how that ended.
pub const GETS: &str = "detectviz_secrets_gets_total";
/// How long calls to a store of secrets took.
pub const REQUEST_DURATION: &str = "detectviz_secrets_request_duration_seconds";
/// Secrets that were found to have changed.
pub const ROTATIONS: &str = "detectviz_secrets_rotations_total";
/// How long a lease still lasts, by secret.
pub const LEASE_REMAINING: &str = "detectviz_secrets_lease_remaining_seconds";
/// How long ago a secret was last had from its store.
pub const AGE: &str = "detectviz_secrets_age_seconds";
/// 1 while a secret that was had before cannot be had again, else 0.
pub const FAILING: &str = "detectviz_secrets_failing";
/// Secrets that were had from another provider than the first, by reason.
pub const FALLBACKS: &str = "detectviz_secrets_fallbacks_total";
