//! What the tests here share.
use detectviz_core::{
    secret::{SecretBundle, SecretError, SecretRef, SecretWatch},
    task::Tasks,
};
use detectviz_secrets::{
    keeper::{CacheConfig, Keeper},
    kubernetes::{KubernetesConfig, KubernetesStore},
    store::{Fetched, Store},
};
use detectviz_tests::{
    BOUND,
    kubernetes::{Cluster, Rule},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// A directory of its own for one test, removed at its end.
pub(super) struct Dir(PathBuf);

/// A cluster with a service account that may do nothing yet, as a pod sees it.
pub(super) struct Pod {
    pub(super) cluster: Cluster,
    pub(super) token: String,
    pub(super) dir: Dir,
    pub(super) tasks: Tasks,
}

// === impl Dir ===

impl Dir {
    pub(super) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("detectviz-kubernetes-{}-{n}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a temporary directory");
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

// === impl Pod ===

impl Pod {
    /// In the namespace `shop`, where the Secret `db` has the password `hunter2`, which the account `orders` may read and
    /// follow.
    pub(super) fn start() -> Self {
        Self::of(Cluster::start())
    }

    pub(super) fn of(cluster: Cluster) -> Self {
        let token = cluster.account("shop", "orders", &[reader()]);
        let dir = Dir::new();
        cluster.mount(dir.path(), "shop", &token);
        cluster.put("shop", "db", &[("password", b"hunter2")]);
        Self {
            cluster,
            token,
            dir,
            tasks: Tasks::new(),
        }
    }

    pub(super) fn config(&self) -> KubernetesConfig {
        KubernetesConfig::default()
            .enabled(true)
            .service_account(self.dir.path())
            .timeout(BOUND)
    }

    pub(super) fn store(&self) -> KubernetesStore {
        self.build(self.config())
    }

    /// One that waits for answers this long only.
    pub(super) fn hasty(&self, timeout: Duration) -> KubernetesStore {
        self.build(self.config().timeout(timeout))
    }

    pub(super) fn keeper(&self) -> Keeper {
        let config = CacheConfig::default().timeout(BOUND);
        Keeper::new(self.store(), config, &self.tasks)
    }

    fn build(&self, config: KubernetesConfig) -> KubernetesStore {
        let store = config.build(|name| self.cluster.environment(name), &self.tasks);
        store.expect("there is a cluster")
    }
}

/// The least that a service needs.
pub(super) fn reader() -> Rule {
    Rule::new("shop", &["get", "list", "watch"], &["db"])
}

pub(super) fn reference(text: &str) -> SecretRef {
    format!("${{secret:k8s:{text}}}")
        .parse()
        .expect("a valid reference")
}

pub(super) async fn fetch(store: &KubernetesStore, text: &str) -> Result<Fetched, SecretError> {
    store.fetch(&reference(text)).await
}

/// The password of a fetch that succeeds.
pub(super) async fn password(store: &KubernetesStore) -> String {
    let fetched = fetch(store, "db").await.expect("it may be read");
    let password = fetched.fields["password"].expose_str();
    password.expect("it is text").to_owned()
}

/// The next value, which must come.
pub(super) async fn changed(watch: &mut SecretWatch) -> SecretBundle {
    let changed = tokio::time::timeout(BOUND, watch.changed()).await;
    changed
        .expect("a change in time")
        .expect("the provider is there")
}

/// The text of one field.
pub(super) fn text(bundle: &SecretBundle, field: &str) -> String {
    let secret = bundle.field(field).and_then(|secret| secret.expose_str());
    secret.unwrap_or("(none)").to_owned()
}
