//! The provider.
use async_trait::async_trait;
use detectviz_core::secret::{
    SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Passes each reference to the provider of its scheme: see the [module](super).
#[derive(Clone, Default)]
pub struct CompositeProvider {
    providers: BTreeMap<String, Arc<dyn SecretsProvider>>,
    absent: BTreeMap<String, String>,
}

impl CompositeProvider {
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

    /// Says what to do for a scheme that is known and not served.
    #[must_use]
    pub fn without(mut self, scheme: impl Into<String>, remedy: impl Into<String>) -> Self {
        self.absent.insert(scheme.into(), remedy.into());
        self
    }

    /// The provider of `scheme`.
    #[must_use]
    pub fn provider(&self, scheme: &str) -> Option<&Arc<dyn SecretsProvider>> {
        self.providers.get(scheme)
    }

    fn find(&self, reference: &SecretRef) -> Result<&dyn SecretsProvider, SecretError> {
        if let Some(provider) = self.providers.get(reference.scheme()) {
            return Ok(&**provider);
        }
        let known = || {
            let known = self.providers.keys().map(String::as_str);
            let known = known.collect::<Vec<_>>().join(", ");
            format!("write one of the schemes that this service serves: {known}")
        };
        let absent = self.absent.get(reference.scheme()).cloned();
        Err(SecretError::new(
            SecretErrorKind::UnknownScheme,
            reference,
            absent.unwrap_or_else(known),
        ))
    }
}

#[async_trait]
impl SecretsProvider for CompositeProvider {
    fn name(&self) -> &str {
        "composite"
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

impl fmt::Debug for CompositeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.providers.keys()).finish()
    }
}
