//! What a store may log in with: variables and files, as `SecretsConfig` joins them for it.
use detectviz_core::{secret::SecretsProvider, task::Tasks};
use detectviz_secrets::{
    composite::CompositeProvider,
    env::EnvStore,
    file::FileConfig,
    keeper::{CacheConfig, Keeper},
};
use std::sync::Arc;

/// Serves `env`, of which there are `variables`, and `file`. Has tasks of its own: those of the store are counted by tests.
///
/// # Panics
/// Outside a tokio runtime.
#[must_use]
pub fn env_and_file(variables: &[(&str, &str)]) -> Arc<dyn SecretsProvider> {
    let tasks = Tasks::new();
    let env = EnvStore::new(variables.iter().copied());
    let env = Keeper::new(env, CacheConfig::default(), &tasks);
    let file = FileConfig::default().build(&tasks);
    let file = Keeper::new(file, CacheConfig::default(), &tasks);
    let joined = CompositeProvider::new().with("env", Arc::new(env));
    Arc::new(joined.with("file", Arc::new(file)))
}
