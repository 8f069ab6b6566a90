//! The life of the secrets of a service.
use crate::keeper::Keeper;
use async_trait::async_trait;
use detectviz_core::{
    error::BoxError,
    secret::{SecretRef, SecretsProvider, fetch_all},
    task::Component,
};
use futures_util::future::join_all;
use std::{sync::Arc, time::Duration};

/// Fetches what the configuration refers to before anything else starts, and gives back what is lent after everything else
/// has stopped.
pub(crate) struct SecretsComponent {
    provider: Arc<dyn SecretsProvider>,
    references: Vec<SecretRef>,
    startup_timeout: Duration,
    keepers: Vec<Keeper>,
}

impl SecretsComponent {
    pub(crate) fn new(
        provider: Arc<dyn SecretsProvider>,
        references: Vec<SecretRef>,
        startup_timeout: Duration,
        keepers: Vec<Keeper>,
    ) -> Self {
        Self {
            provider,
            references,
            startup_timeout,
            keepers,
        }
    }
}

#[async_trait]
impl Component for SecretsComponent {
    async fn start(&self) -> Result<(), BoxError> {
        Ok(fetch_all(&*self.provider, &self.references, self.startup_timeout).await?)
    }

    async fn stop(&self) -> Result<(), BoxError> {
        join_all(self.keepers.iter().map(Keeper::close)).await;
        Ok(())
    }
}
