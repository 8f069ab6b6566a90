//! The store.
use crate::store::{Fetched, Store};
use async_trait::async_trait;
use detectviz_core::{
    config::nearest,
    secret::{Secret, SecretError, SecretErrorKind, SecretRef},
};
use std::{collections::BTreeMap, fmt};

/// Variables as they were when it was made.
pub struct EnvStore {
    variables: BTreeMap<String, Secret>,
}

impl EnvStore {
    /// Keeps `variables`, for example those of [`process_environment`](super::process_environment). Of two with one name the
    /// later one counts.
    #[must_use]
    pub fn new(
        variables: impl IntoIterator<Item = (impl Into<String>, impl Into<Secret>)>,
    ) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self { variables }
    }

    fn find(&self, reference: &SecretRef) -> Result<&Secret, SecretError> {
        let error = |kind, remedy| Err(SecretError::new(kind, reference, remedy));
        let name = reference.path();
        if name.contains('?') {
            let remedy = "write the bare name: a variable has no parameters".to_owned();
            return error(SecretErrorKind::Malformed, remedy);
        }
        match self.variables.get(name) {
            Some(value) if value.is_empty() => error(
                SecretErrorKind::Empty,
                format!("give the environment variable {name} a value"),
            ),
            Some(value) => Ok(value),
            None => {
                let known = self.variables.keys().map(String::as_str);
                let near = nearest(name, known)
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                error(
                    SecretErrorKind::NotFound,
                    format!("set the environment variable {name} and start again{near}"),
                )
            }
        }
    }
}

#[async_trait]
impl Store for EnvStore {
    fn name(&self) -> &'static str {
        "env"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        self.find(reference).cloned().map(Fetched::single)
    }
}

impl fmt::Debug for EnvStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_wrong_with_a_variable_is_named_without_a_value() {
        let store = EnvStore::new([("DB_PASSWORD", "canary"), ("EMPTY", ""), ("B", "canary")]);
        for (path, kind, says) in [
            (
                "DB_PASWORD",
                SecretErrorKind::NotFound,
                "did you mean `DB_PASSWORD`?",
            ),
            (
                "db-password",
                SecretErrorKind::NotFound,
                "did you mean `DB_PASSWORD`?",
            ),
            (
                "ELSEWHERE",
                SecretErrorKind::NotFound,
                "set the environment variable ELSEWHERE and start again",
            ),
            (
                "EMPTY",
                SecretErrorKind::Empty,
                "give the environment variable EMPTY a value",
            ),
            ("B?version=3", SecretErrorKind::Malformed, "no parameters"),
        ] {
            let reference: SecretRef = format!("env:{path}").parse().unwrap();
            let err = store.fetch(&reference).await.unwrap_err();
            assert_eq!(err.kind(), kind, "{err}");
            let shown = format!("{err} {err:?} {store:?}");
            assert!(err.to_string().ends_with(says), "{err}");
            assert!(shown.contains(path) && !shown.contains("canary"), "{shown}");
        }
    }

    #[tokio::test]
    async fn a_value_is_bytes() {
        let value = vec![0xff, 0xfe, b'x'];
        let store = EnvStore::new([("KEY", value.clone())]);
        let fetched = store.fetch(&"env:KEY".parse().unwrap()).await.unwrap();
        assert_eq!(fetched.fields["value"].expose(), value);
    }
}
