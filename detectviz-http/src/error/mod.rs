//! The one table from cause to status, and problem+json.
