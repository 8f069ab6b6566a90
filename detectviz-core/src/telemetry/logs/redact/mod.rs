//! Secrets kept out of logs: by the name of the field, and by what gives them away inside a text.
//!
//! # Limits
//! A secret is known by its surroundings, never by its looks: one that stands alone in a sentence, is encoded (base64,
//! percent-encoded names of query parameters) or was cut in two by a formatter of the user's is not recognised. Keep
//! secrets in [`Secret`](crate::secret::Secret), which cannot be printed; this is the net below.
mod key;
mod value;
#[cfg(test)]
mod tests;

pub(super) use self::{key::is_secret_key, value::masked};

/// What stands in the place of a secret.
pub(super) const MASK: &str = "[redacted]";
