//! The section `secrets` of a service.
use crate::{composite::FallbackConfig, file::FileConfig, keeper::CacheConfig};
use detectviz_core::{
    config::{Checker, DurationText, Section},
    health::{CheckConfig, Criticality},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Where the secrets of a service are kept.
///
/// What stands here may itself refer to `${secret:env:…}` and `${secret:file:…}` only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SecretsConfig {
    /// For how long what a store answered is good.
    pub cache: CacheConfig,
    /// How long the start may wait for stores that cannot be asked, before the service ends with exit code 69 (more than 0s).
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub startup_timeout: Duration,
    /// The health check of each store: `secrets.vault` and the like.
    pub check: CheckConfig,
    /// Where else a secret is looked for, by the scheme of its reference.
    pub fallback: BTreeMap<String, FallbackConfig>,
    /// `${secret:file:…}`.
    pub file: FileConfig,
    /// `${secret:vault:…}`: HashiCorp Vault and OpenBao.
    #[cfg(feature = "vault")]
    pub vault: crate::vault::VaultConfig,
    /// `${secret:k8s:…}`: Secret objects of Kubernetes.
    #[cfg(feature = "kubernetes")]
    pub kubernetes: crate::kubernetes::KubernetesConfig,
    /// `${secret:aws:…}`: AWS Secrets Manager.
    #[cfg(feature = "aws")]
    pub aws: crate::aws::AwsConfig,
    /// `${secret:gcp:…}`: Google Secret Manager.
    #[cfg(feature = "gcp")]
    pub gcp: crate::gcp::GcpConfig,
    /// `${secret:azure:…}`: Azure Key Vault.
    #[cfg(feature = "azure")]
    pub azure: crate::azure::AzureConfig,
}

impl SecretsConfig {
    /// The schemes that [`build`](Self::build) knows; whether those of remote stores are served is configuration.
    pub const SCHEMES: &[&str] = &[
        "env",
        "file",
        #[cfg(feature = "vault")]
        "vault",
        #[cfg(feature = "kubernetes")]
        "k8s",
        #[cfg(feature = "aws")]
        "aws",
        #[cfg(feature = "gcp")]
        "gcp",
        #[cfg(feature = "azure")]
        "azure",
    ];
}

impl Default for SecretsConfig {
    /// The store's check is optional: while it is away, secrets are served from the cache, and the service is degraded.
    fn default() -> Self {
        let mut check = CheckConfig::default();
        check.criticality = Criticality::Optional;
        check.interval = Duration::from_secs(15);
        check.timeout = Duration::from_secs(3);
        Self {
            cache: CacheConfig::default(),
            startup_timeout: Duration::from_secs(30),
            check,
            fallback: BTreeMap::new(),
            file: FileConfig::default(),
            #[cfg(feature = "vault")]
            vault: crate::vault::VaultConfig::default(),
            #[cfg(feature = "kubernetes")]
            kubernetes: crate::kubernetes::KubernetesConfig::default(),
            #[cfg(feature = "aws")]
            aws: crate::aws::AwsConfig::default(),
            #[cfg(feature = "gcp")]
            gcp: crate::gcp::GcpConfig::default(),
            #[cfg(feature = "azure")]
            azure: crate::azure::AzureConfig::default(),
        }
    }
}

impl Section for SecretsConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        check.nested("cache", &self.cache);
        check.nested("check", &self.check);
        check.nested("file", &self.file);
        #[cfg(feature = "vault")]
        check.nested("vault", &self.vault);
        #[cfg(feature = "kubernetes")]
        check.nested("kubernetes", &self.kubernetes);
        #[cfg(feature = "aws")]
        check.nested("aws", &self.aws);
        #[cfg(feature = "gcp")]
        check.nested("gcp", &self.gcp);
        #[cfg(feature = "azure")]
        check.nested("azure", &self.azure);
        if self.startup_timeout.is_zero() {
            check.problem(
                "startup_timeout",
                "gives the stores no time to answer",
                "write for example `30s`",
            );
        }
        for (scheme, fallback) in &self.fallback {
            let known = |scheme: &String| Self::SCHEMES.contains(&scheme.as_str());
            let key = format!("fallback.{scheme}");
            let remedy = || format!("write one of {}", Self::SCHEMES.join(", "));
            if !known(scheme) {
                check.problem(&key, "is not the scheme of a store", remedy());
            }
            if fallback.to.is_empty() || fallback.on.is_empty() {
                let remedy = "list schemes under `to` and reasons under `on`, or leave it out";
                check.problem(&key, "falls back to nothing", remedy);
            }
            for to in fallback.to.iter().filter(|to| !known(to) || *to == scheme) {
                let what = format!("`{to}` is not the scheme of another store");
                check.problem(&format!("{key}.to"), what, remedy());
            }
        }
    }
}

impl Section for FileConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.poll_interval < Duration::from_millis(1) {
            check.problem(
                "poll_interval",
                "reads without a pause",
                "write at least `1ms`; `500ms` sees a change within a second",
            );
        }
        if self.max_size.0 == 0 {
            check.problem(
                "max_size",
                "no file is that small",
                "write a size such as `1MiB`",
            );
        }
    }
}
