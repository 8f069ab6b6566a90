//! From the section `secrets` to the provider of a service.
use crate::{
    SecretsConfig,
    component::SecretsComponent,
    composite::{CompositeProvider, FALLBACKS, FallbackProvider},
    env::{EnvStore, process_environment},
    keeper::Keeper,
    store::Store,
};
#[cfg(any(feature = "vault", feature = "aws", feature = "azure"))]
use detectviz_core::secret::AuditedProvider;
use detectviz_core::{error::BoxError, runtime::ProviderContext, secret::SecretsProvider};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What the admin port shows of secrets.
const PAGE: (&str, &str) = (
    "/secrets",
    "the secrets that are kept, their versions and leases",
);

impl SecretsConfig {
    /// Makes the provider of every scheme that is enabled. Variables are those of the process. Registers a check and the
    /// metrics of each store, and a component that fetches every secret which the configuration refers to, before anything
    /// else starts.
    ///
    /// # Errors
    /// When a store cannot be built from its settings.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn build(self, cx: &mut ProviderContext<'_>) -> Result<Arc<dyn SecretsProvider>, BoxError> {
        cx.metrics().declare(&[&FALLBACKS]);
        let mut stores = Stores::new(&self);
        stores.keep(cx, "env", EnvStore::new(process_environment()));
        stores.keep(cx, "file", self.file.clone().build(cx.tasks()));
        #[cfg(feature = "_remote")]
        self.remote(cx, &mut stores)?;
        let Stores {
            keepers, absent, ..
        } = stores;
        for reference in cx.references() {
            if let Some(keeper) = keepers.get(reference.scheme()) {
                keeper.pin(reference);
            }
        }
        let provider = self.join(cx, &keepers, absent);
        let shown: Vec<Keeper> = keepers.values().cloned().collect();
        cx.show(PAGE, move || {
            let views = shown.iter().map(Keeper::view);
            let entries = views.filter_map(|view| match view {
                Value::Object(entries) => Some(entries),
                _ => None,
            });
            Value::Object(entries.flatten().collect::<Map<_, _>>())
        });
        cx.add_component(Arc::new(SecretsComponent::new(
            Arc::clone(&provider),
            cx.references().to_vec(),
            self.startup_timeout,
            keepers.into_values().collect(),
        )));
        Ok(provider)
    }

    /// Adds the stores that are somewhere else, each of which may log in with what `env` and `file` keep.
    #[cfg(feature = "_remote")]
    fn remote(
        &self,
        cx: &mut ProviderContext<'_>,
        stores: &mut Stores<'_>,
    ) -> Result<(), BoxError> {
        #[cfg(feature = "vault")]
        if stores.serves("vault", "vault", self.vault.enabled) {
            let config = self.vault.clone();
            // Each node has its own time to answer, and after them comes a new login.
            let nodes = u32::try_from(config.addresses.len()).unwrap_or(1);
            let within = config.timeout.saturating_mul(nodes + 1);
            let store = config.build(stores.login("vault"), cx.tasks())?;
            stores.keep_within(cx, "vault", store, within);
        }
        #[cfg(feature = "kubernetes")]
        if stores.serves("k8s", "kubernetes", self.kubernetes.enabled) {
            let variables = process_environment();
            let variable = |name: &str| {
                let found = variables.iter().find(|(other, _)| other == name);
                found.and_then(|(_, value)| Some(value.expose_str()?.to_owned()))
            };
            let store = self.kubernetes.clone().build(variable, cx.tasks())?;
            stores.keep(cx, "k8s", store);
        }
        #[cfg(feature = "aws")]
        if stores.serves("aws", "aws", self.aws.enabled) {
            let within = cloud_time(self.aws.timeout);
            let store = self.aws.clone().build(stores.login("aws"))?;
            stores.keep_within(cx, "aws", store, within);
        }
        #[cfg(feature = "gcp")]
        if stores.serves("gcp", "gcp", self.gcp.enabled) {
            let within = cloud_time(self.gcp.timeout);
            let store = self.gcp.clone().build()?;
            stores.keep_within(cx, "gcp", store, within);
        }
        #[cfg(feature = "azure")]
        if stores.serves("azure", "azure", self.azure.enabled) {
            let within = cloud_time(self.azure.timeout);
            let store = self.azure.clone().build(stores.login("azure"))?;
            stores.keep_within(cx, "azure", store, within);
        }
        Ok(())
    }

    /// One provider for all of them.
    fn join(
        &self,
        cx: &ProviderContext<'_>,
        keepers: &BTreeMap<&'static str, Keeper>,
        absent: Vec<(&'static str, String)>,
    ) -> Arc<dyn SecretsProvider> {
        let mut joined = CompositeProvider::new();
        for (scheme, keeper) in keepers {
            let mut provider: Arc<dyn SecretsProvider> = Arc::new(keeper.clone());
            if let Some(config) = self.fallback.get(*scheme) {
                let rest = config.to.iter().filter_map(|to| {
                    let keeper = keepers.get(to.as_str())?;
                    let provider: Arc<dyn SecretsProvider> = Arc::new(keeper.clone());
                    Some((to.clone(), provider))
                });
                provider = Arc::new(FallbackProvider::new(
                    (scheme, provider),
                    rest.collect(),
                    config,
                    cx.metrics(),
                    cx.tasks(),
                ));
            }
            joined = joined.with(*scheme, provider);
        }
        let absent = absent.into_iter();
        Arc::new(absent.fold(joined, |joined, (scheme, remedy)| {
            joined.without(scheme, remedy)
        }))
    }
}

/// The keepers that are made, by scheme.
struct Stores<'a> {
    config: &'a SecretsConfig,
    keepers: BTreeMap<&'static str, Keeper>,
    /// The schemes that are not served, and what to do about it.
    absent: Vec<(&'static str, String)>,
}

impl<'a> Stores<'a> {
    fn new(config: &'a SecretsConfig) -> Self {
        Self {
            config,
            keepers: BTreeMap::new(),
            absent: Vec::new(),
        }
    }

    fn keep(&mut self, cx: &mut ProviderContext<'_>, scheme: &'static str, store: impl Store) {
        self.keep_within(cx, scheme, store, Duration::ZERO);
    }

    /// Keeps a store whose calls may take at least `within`.
    fn keep_within(
        &mut self,
        cx: &mut ProviderContext<'_>,
        scheme: &'static str,
        store: impl Store,
        within: Duration,
    ) {
        let cache = self.config.cache.clone();
        let within = cache.timeout.max(within);
        let keeper = Keeper::with_metrics(store, cache.timeout(within), cx.tasks(), cx.metrics());
        // The environment is always there.
        if scheme != "env" {
            let (name, check) = (format!("secrets.{scheme}"), self.config.check.clone());
            cx.register_check(&name, check, Arc::new(keeper.clone()));
        }
        self.keepers.insert(scheme, keeper);
    }

    /// Whether the store of `scheme`, which is described in `section`, is enabled.
    #[cfg(feature = "_remote")]
    fn serves(&mut self, scheme: &'static str, section: &str, enabled: bool) -> bool {
        if !enabled {
            let remedy =
                format!("set `secrets.{section}.enabled: true`, and say there where it is");
            self.absent.push((scheme, remedy));
        }
        enabled
    }

    /// What the store of `scheme` may log in with, audited under its name.
    #[cfg(any(feature = "vault", feature = "aws", feature = "azure"))]
    fn login(&self, scheme: &str) -> Arc<dyn SecretsProvider> {
        let mut joined = CompositeProvider::new();
        for local in ["env", "file"] {
            if let Some(keeper) = self.keepers.get(local) {
                joined = joined.with(local, Arc::new(keeper.clone()));
            }
        }
        let asker = format!("secrets.{scheme}");
        Arc::new(AuditedProvider::new(asker, Arc::new(joined)))
    }
}

/// A login and a read, and a read once more where the login was refused, each with its own time to answer.
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
fn cloud_time(timeout: Duration) -> Duration {
    timeout.saturating_mul(3)
}
