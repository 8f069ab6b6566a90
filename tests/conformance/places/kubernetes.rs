//! The model of the Kubernetes API server.
use crate::secrets::{Place, conform, quick};
use async_trait::async_trait;
use detectviz_core::{secret::SecretRef, task::Tasks};
use detectviz_secrets::{keeper::Keeper, kubernetes::KubernetesConfig};
use detectviz_tests::kubernetes::{Cluster, Rule};
use std::{fs, path::PathBuf, time::Duration};

struct Kubernetes {
    cluster: Cluster,
    token: String,
    kubeconfig: PathBuf,
    keeper: Keeper,
}

impl Kubernetes {
    fn start() -> Self {
        let cluster = Cluster::start();
        let token = cluster.account("shop", "orders", &[Self::reader()]);
        let name = format!("conform-kubernetes-{}", std::process::id());
        let kubeconfig = std::env::temp_dir().join(name);
        fs::write(&kubeconfig, cluster.kubeconfig(&token)).expect("a temporary directory");
        let config = KubernetesConfig::default()
            .kubeconfig(&kubeconfig)
            .namespace("shop")
            .timeout(Duration::from_secs(1));
        let tasks = Tasks::new();
        let store = config.build(|_| None, &tasks).expect("a kubeconfig");
        Self {
            keeper: Keeper::new(store, quick(), &tasks),
            cluster,
            token,
            kubeconfig,
        }
    }

    fn reader() -> Rule {
        Rule::new("shop", &["get", "list", "watch"], &[])
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.kubeconfig);
    }
}

#[async_trait]
impl Place for Kubernetes {
    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn reference(&self, name: &str, field: Option<&str>) -> SecretRef {
        let field = field.map_or(String::new(), |field| format!("#{field}"));
        format!("${{secret:k8s:{name}{field}}}")
            .parse()
            .expect("a valid reference")
    }

    async fn put(&self, name: &str, fields: &[(&str, &str)]) -> bool {
        let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_bytes())).collect();
        self.cluster.put("shop", name, &fields);
        true
    }

    async fn delete(&self, name: &str) -> bool {
        self.cluster.delete("shop", name);
        true
    }

    async fn deny(&self, denied: bool) -> bool {
        let rules = if denied { vec![] } else { vec![Self::reader()] };
        self.cluster.allow(&self.token, &rules);
        true
    }

    async fn away(&self, away: bool) -> bool {
        self.cluster.down(away);
        true
    }
}

#[tokio::test]
async fn kubernetes_conforms() {
    conform(&Kubernetes::start()).await;
}
