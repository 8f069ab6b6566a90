//! What the suites of clouds share.
use detectviz_core::secret::{SecretError, SecretErrorKind, SecretRef};
use detectviz_secrets::store::{Fetched, Store};

#[cfg(any(feature = "aws", feature = "azure"))]
use {detectviz_core::secret::SecretsProvider, detectviz_tests::foreign::TempDir, std::sync::Arc};

pub(crate) fn reference(text: &str) -> SecretRef {
    text.parse().expect("a reference")
}

pub(crate) async fn fetch(store: &dyn Store, text: &str) -> Result<Fetched, SecretError> {
    store.fetch(&reference(text)).await
}

/// A field of what is fetched, as text.
pub(crate) async fn value(store: &dyn Store, text: &str, field: &str) -> String {
    let fetched = fetch(store, text).await.expect("it is there");
    let value = fetched.fields[field].expose_str();
    value.expect("text").to_owned()
}

/// The error of a fetch: its kind, and everything that it and its causes say, which never shows a canary.
pub(crate) async fn refused(store: &dyn Store, text: &str) -> (SecretErrorKind, String) {
    let err = fetch(store, text).await.expect_err("it is refused");
    let mut said = format!("{err} {err:?}");
    let mut next = std::error::Error::source(&err);
    while let Some(cause) = next {
        said.push_str(&format!(" {cause} {cause:?}"));
        next = cause.source();
    }
    assert!(!said.contains("canary"), "{said}");
    assert!(
        said.contains(text.split('#').next().unwrap_or(text)),
        "{said}"
    );
    (err.kind(), said)
}

/// Fails unless the error is of this kind and says each of `parts`.
pub(crate) async fn check(store: &dyn Store, text: &str, kind: SecretErrorKind, parts: &[&str]) {
    let (found, said) = refused(store, text).await;
    assert_eq!(found, kind, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// Serves `env`, of which there is one variable, and `file`.
#[cfg(any(feature = "aws", feature = "azure"))]
pub(crate) fn env_and_file() -> Arc<dyn SecretsProvider> {
    detectviz_tests::login::env_and_file(&[("LOGIN", "AKIATEST")])
}

/// A reference to the file `name` in `dir`.
#[cfg(any(feature = "aws", feature = "azure"))]
pub(crate) fn file(dir: &TempDir, name: &str) -> SecretRef {
    reference(&format!("file:{}", dir.path().join(name).display()))
}
