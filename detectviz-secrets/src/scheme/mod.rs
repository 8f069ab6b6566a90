//! One provider for several stores, chosen by the scheme of the reference.
use async_trait::async_trait;
use detectviz_core::secret::{
    SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Passes each reference to the provider of its scheme. Strict: an unknown scheme is an error, never a literal.
#[derive(Clone, Default)]
pub struct SchemeProvider {
    providers: BTreeMap<String, Arc<dyn SecretsProvider>>,
}

impl SchemeProvider {
    /// Serves no scheme yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the provider of one scheme, in place of an earlier one.
    #[must_use]
    pub fn with(mut self, scheme: impl Into<String>, provider: Arc<dyn SecretsProvider>) -> Self {
        self.providers.insert(scheme.into(), provider);
        self
    }

    fn find(&self, reference: &SecretRef) -> Result<&dyn SecretsProvider, SecretError> {
        match self.providers.get(reference.scheme()) {
            Some(provider) => Ok(&**provider),
            None => {
                let known = self.providers.keys().map(String::as_str);
                let known = known.collect::<Vec<_>>().join(", ");
                Err(SecretError::new(
                    SecretErrorKind::UnknownScheme,
                    reference,
                    format!("write one of the schemes that this service serves: {known}"),
                ))
            }
        }
    }
}

#[async_trait]
impl SecretsProvider for SchemeProvider {
    fn name(&self) -> &str {
        "scheme"
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        self.find(reference)?.get(reference).await
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        self.find(reference)?.refresh(reference).await
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        self.find(reference)?.watch(reference).await
    }
}

impl fmt::Debug for SchemeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.providers.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::EnvProvider;

    #[tokio::test]
    async fn an_unknown_scheme_is_an_error_that_lists_the_known_ones() {
        let env = Arc::new(EnvProvider::new([("A", "b")]));
        let provider = SchemeProvider::new().with("env", env);
        let known = "${secret:env:A}".parse().unwrap();
        assert!(provider.get(&known).await.is_ok());
        let unknown = "${secret:vault:A}".parse().unwrap();
        let err = provider.get(&unknown).await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::UnknownScheme);
        assert!(
            err.to_string().ends_with("this service serves: env"),
            "{err}"
        );
    }
}
