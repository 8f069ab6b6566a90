//! The provider.
use async_trait::async_trait;
use detectviz_core::secret::{
    Secret, SecretBundle, SecretError, SecretErrorKind, SecretPublisher, SecretRef, SecretVersion,
    SecretWatch, SecretsProvider,
};
use std::{collections::HashMap, fmt};

/// Reads secrets from variables that were given when it was made.
pub struct EnvProvider {
    variables: HashMap<String, SecretPublisher>,
}

impl EnvProvider {
    /// Keeps `variables`, for example those of [`process_environment`](super::process_environment).
    #[must_use]
    pub fn new(
        variables: impl IntoIterator<Item = (impl Into<String>, impl Into<Secret>)>,
    ) -> Self {
        let version = SecretVersion {
            sequence: 1,
            label: None,
        };
        let bundle = |value| SecretPublisher::new(SecretBundle::single(value, version.clone()));
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), bundle(value.into())))
            .collect();
        Self { variables }
    }

    fn find(&self, reference: &SecretRef) -> Result<&SecretPublisher, SecretError> {
        let found = self.variables.get(reference.path()).ok_or_else(|| {
            SecretError::new(
                SecretErrorKind::NotFound,
                reference,
                format!("set the environment variable {}", reference.path()),
            )
        })?;
        found.latest().value(reference)?;
        Ok(found)
    }
}

#[async_trait]
impl SecretsProvider for EnvProvider {
    fn name(&self) -> &str {
        "env"
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Ok(self.find(reference)?.latest())
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        self.get(reference).await
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        Ok(self.find(reference)?.subscribe())
    }
}

impl fmt::Debug for EnvProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvProvider").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_variable_is_found_and_a_missing_or_empty_one_is_named() {
        let provider = EnvProvider::new([("A", "canary"), ("EMPTY", "")]);
        for (text, kind) in [
            ("${secret:env:A}", None),
            ("${secret:env:A#field}", Some(SecretErrorKind::NotFound)),
            ("${secret:env:B}", Some(SecretErrorKind::NotFound)),
            ("${secret:env:EMPTY}", Some(SecretErrorKind::Empty)),
        ] {
            let reference = text.parse().unwrap();
            let answer = provider.get(&reference).await;
            assert_eq!(answer.as_ref().err().map(SecretError::kind), kind, "{text}");
            if let Err(err) = answer {
                assert!(err.to_string().contains(text) && !err.to_string().contains("canary"));
            }
        }
    }
}
