//! What a user may set.
use super::{KubernetesStore, access::Origin, name::is_label};
use detectviz_core::{
    config::{Checker, DurationText, Section},
    error::{BoxError, Error, ErrorKind},
    task::Tasks,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// Settings of [`KubernetesStore`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct KubernetesConfig {
    /// Whether `${secret:k8s:…}` is served.
    pub enabled: bool,
    /// The namespace of a reference that names none. Empty: that of the pod, from the file `namespace` beside its token, or
    /// that of the context of the kubeconfig; where neither says one, `default`.
    pub namespace: String,
    /// The kubeconfig to take server and credentials from, outside a cluster. Empty: those of the pod's service account.
    /// `KUBECONFIG` is not read.
    pub kubeconfig: PathBuf,
    /// The context of the kubeconfig. Empty: its `current-context`.
    pub context: String,
    /// Where the pod's service account is mounted: the files `token`, `ca.crt` and `namespace`. The default is where
    /// Kubernetes mounts it by itself.
    pub service_account: PathBuf,
    /// The longest that one answer of the API server may take, connecting included. A watch that is open is not an answer.
    /// The default is below the one of [`CacheConfig::timeout`](crate::keeper::CacheConfig::timeout), so that the error is
    /// the one that says why.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
}

// === impl KubernetesConfig ===

impl KubernetesConfig {
    /// Sets whether `${secret:k8s:…}` is served.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the namespace of a reference that names none.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets the kubeconfig to take server and credentials from.
    #[must_use]
    pub fn kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.kubeconfig = path.into();
        self
    }

    /// Sets the context of the kubeconfig.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context = context.into();
        self
    }

    /// Sets where the pod's service account is mounted.
    #[must_use]
    pub fn service_account(mut self, directory: impl Into<PathBuf>) -> Self {
        self.service_account = directory.into();
        self
    }

    /// Sets the longest that one answer may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes the store, which reads no file and connects to nobody before it is asked; its watches run on `tasks`.
    /// `environment` looks up a variable of the process: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which
    /// Kubernetes sets in each container, and no other.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when there is neither a kubeconfig nor a cluster around the process.
    pub fn build(
        self,
        environment: impl Fn(&str) -> Option<String>,
        tasks: &Tasks,
    ) -> Result<KubernetesStore, BoxError> {
        let origin = if self.kubeconfig.as_os_str().is_empty() {
            let variable = |name| environment(name).filter(|value| !value.is_empty());
            let host = variable("KUBERNETES_SERVICE_HOST");
            let port = variable("KUBERNETES_SERVICE_PORT");
            let (Some(host), Some(port)) = (host, port) else {
                return Err(Error::new(
                    ErrorKind::Config,
                    "no Kubernetes cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; run in a pod, \
                     or name a `kubeconfig`",
                )
                .into());
            };
            Origin::Pod {
                host,
                port,
                directory: self.service_account,
            }
        } else {
            Origin::Kubeconfig {
                path: self.kubeconfig,
                context: Some(self.context).filter(|context| !context.is_empty()),
            }
        };
        let namespace = Some(self.namespace).filter(|namespace| !namespace.is_empty());
        Ok(KubernetesStore::new(origin, namespace, self.timeout, tasks))
    }
}

impl Default for KubernetesConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            namespace: String::new(),
            kubeconfig: PathBuf::new(),
            context: String::new(),
            service_account: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
            timeout: Duration::from_secs(4),
        }
    }
}

impl Section for KubernetesConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if !self.namespace.is_empty() && !is_label(&self.namespace) {
            check.problem(
                "namespace",
                format!("`{}` is no name of a namespace", self.namespace),
                "write at most 63 lower-case letters, digits and `-`",
            );
        }
        if !self.context.is_empty() && self.kubeconfig.as_os_str().is_empty() {
            check.problem(
                "context",
                "only a kubeconfig has contexts",
                "write `kubeconfig` too, or take the context out",
            );
        }
        if !self.service_account.is_absolute() {
            check.problem(
                "service_account",
                "it is no absolute path",
                "write a path such as `/var/run/secrets/kubernetes.io/serviceaccount`",
            );
        }
        if self.timeout < Duration::from_millis(1) {
            check.problem(
                "timeout",
                "no answer comes in no time",
                "write a time such as `4s`",
            );
        }
    }
}
