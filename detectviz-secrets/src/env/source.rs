//! The environment of the process.

/// All variables of the process whose names and values are UTF-8.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "modules named `source` read the environment"
)]
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
