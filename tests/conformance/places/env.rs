//! The environment, which has one value per name and never changes.
use crate::secrets::{FIRST, Place, conform, quick};
use async_trait::async_trait;
use detectviz_core::{secret::SecretRef, task::Tasks};
use detectviz_secrets::{env::EnvStore, keeper::Keeper};

struct Env(Keeper);

#[async_trait]
impl Place for Env {
    fn keeper(&self) -> &Keeper {
        &self.0
    }

    fn reference(&self, name: &str, _: Option<&str>) -> SecretRef {
        format!("${{secret:env:{name}}}").parse().unwrap()
    }

    fn has_fields(&self) -> bool {
        false
    }

    async fn put(&self, _: &str, _: &[(&str, &str)]) -> bool {
        false
    }
}

#[tokio::test]
async fn env_conforms() {
    let variables = [("app", FIRST), ("other", "unrelated"), ("empty", "")];
    let keeper = Keeper::new(EnvStore::new(variables), quick(), &Tasks::new());
    conform(&Env(keeper)).await;
}
