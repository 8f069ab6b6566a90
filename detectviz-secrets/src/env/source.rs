//! The environment of the process.
use detectviz_core::secret::Secret;

/// All variables of the process whose names are UTF-8; their values are bytes as they are.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "modules named `source` read the environment"
)]
pub fn process_environment() -> Vec<(String, Secret)> {
    std::env::vars_os()
        // A value is a secret before anything can drop it.
        .map(|(name, value)| (name, Secret::new(value.into_encoded_bytes())))
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .collect()
}
