//! The real server that a person may name.

/// `DETECTVIZ_TEST_VAULT_ADDR` and `DETECTVIZ_TEST_VAULT_TOKEN`; `None` unless both are set.
pub(super) fn real() -> Option<(String, String)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "names the real server of a test run"
    )]
    let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some((
        read("DETECTVIZ_TEST_VAULT_ADDR")?,
        read("DETECTVIZ_TEST_VAULT_TOKEN")?,
    ))
}
