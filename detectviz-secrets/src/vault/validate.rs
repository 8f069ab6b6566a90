//! What cannot work is refused before anything is asked.
use super::{AuthConfig, VaultConfig, address::Address};
use detectviz_core::{
    config::{Checker, Section},
    secret::SecretRef,
};
use std::time::Duration;

impl Section for VaultConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if !self.enabled {
            return;
        }
        self.check_addresses(check);
        self.check_tls(check);
        self.check_auth(check);
        if self.timeout < Duration::from_millis(100) {
            check.problem(
                "timeout",
                "no node answers that fast",
                "write at least `100ms`; `5s` is usual",
            );
        }
        let namespace = &self.namespace;
        let good = is_path(namespace) && namespace.is_ascii();
        if !(namespace.is_empty() || good) {
            check.problem(
                "namespace",
                "is no path of a namespace",
                "write such as `team-a/orders`",
            );
        }
        for path in self.mounts.keys().filter(|path| !is_path(path)) {
            check.problem(
                "mounts",
                format!("`{path}` is no path of a mount"),
                "write such as `kv` or `teams/orders/kv`",
            );
        }
    }
}

impl VaultConfig {
    fn check_addresses(&self, check: &mut Checker<'_>) {
        if self.addresses.is_empty() {
            check.problem(
                "addresses",
                "no node is named",
                "write the nodes, such as `[https://vault.vault:8200]`",
            );
        }
        for (at, text) in self.addresses.iter().enumerate() {
            if let Err(what) = Address::parse(text) {
                check.problem(
                    &format!("addresses[{at}]"),
                    what,
                    "write scheme, host and port alone, such as `https://vault.vault:8200`",
                );
            }
        }
    }

    fn check_tls(&self, check: &mut Checker<'_>) {
        let is_tls = |text: &String| text.starts_with("https://");
        if self.addresses.iter().any(is_tls) && self.tls.ca_file.is_none() {
            check.problem(
                "tls.ca_file",
                "nobody is trusted on `https`",
                "name a PEM file of authorities, such as `/etc/ssl/certs/ca-certificates.crt`",
            );
        }
        if self.tls.cert_file.is_some() != self.tls.key_file.is_some() {
            check.problem(
                "tls",
                "a certificate without its key, or a key without its certificate",
                "name both `cert_file` and `key_file`, or neither",
            );
        }
        if let Some(name) = &self.tls.server_name
            && rustls_pki_types::DnsName::try_from(name.as_str()).is_err()
        {
            check.problem(
                "tls.server_name",
                "is no DNS name",
                "write such as `vault.vault.svc`",
            );
        }
    }

    fn check_auth(&self, check: &mut Checker<'_>) {
        let (mount, needed, secret) = match &self.auth {
            AuthConfig::Token { token, .. } => (None, None, Some(("auth.token", token))),
            AuthConfig::AppRole {
                mount,
                role_id,
                secret_id,
                ..
            } => (
                Some(mount),
                Some(("auth.role_id", role_id)),
                Some(("auth.secret_id", secret_id)),
            ),
            AuthConfig::Kubernetes { mount, role, .. } => {
                (Some(mount), Some(("auth.role", role)), None)
            }
            AuthConfig::UserPass {
                mount,
                username,
                password,
            } => (
                Some(mount),
                Some(("auth.username", username)),
                Some(("auth.password", password)),
            ),
            AuthConfig::Cert { mount, .. } => (Some(mount), None, None),
        };
        if let Some((key, _)) = needed.filter(|(_, value)| value.is_empty()) {
            check.problem(key, "is empty", "write what Vault knows the service by");
        }
        if let Some(mount) = mount.filter(|mount| !is_path(mount)) {
            check.problem(
                "auth.mount",
                format!("`{mount}` is no path of a mount"),
                "write the path without `auth/`, such as `kubernetes`",
            );
        }
        if let Some((key, reference)) = secret {
            check_bootstrap(check, key, reference);
        }
        let is_cert = matches!(self.auth, AuthConfig::Cert { .. });
        if is_cert && self.tls.cert_file.is_none() {
            check.problem(
                "auth",
                "there is no certificate to log in with",
                "name `tls.cert_file` and `tls.key_file`",
            );
        }
        let plain = |text: &String| text.starts_with("http://");
        if is_cert && self.addresses.iter().any(plain) {
            check.problem(
                "addresses",
                "a certificate is shown on `https` alone",
                "write `https://…`",
            );
        }
    }
}

/// The login may not need the store that it logs in to.
fn check_bootstrap(check: &mut Checker<'_>, key: &str, reference: &SecretRef) {
    if !["env", "file"].contains(&reference.scheme()) {
        check.problem(
            key,
            format!(
                "`{}` is a store that is not there before the login",
                reference.scheme()
            ),
            "write `${secret:file:…}` or `${secret:env:…}`",
        );
    }
}

/// Whether `text` is a path as Vault has them: segments, none of which is empty or leads elsewhere.
pub(super) fn is_path(text: &str) -> bool {
    let text = text.strip_suffix('/').unwrap_or(text);
    text.split('/').all(|segment| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && !segment.contains(|c: char| c.is_control() || "?#%\\".contains(c))
    })
}
