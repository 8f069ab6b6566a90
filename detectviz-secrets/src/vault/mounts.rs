//! What is mounted where, as far as it is known.
use super::{
    MountKind,
    failure::{Cause, Failure},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The mounts that are configured and those that Vault was asked for.
#[derive(Debug, Default)]
pub(super) struct Mounts(Mutex<BTreeMap<String, MountKind>>);

/// What `sys/internal/ui/mounts/:path` says; its documentation calls it internal, and `vault kv` relies on it
/// (`command/kv_helpers.go`).
#[derive(Deserialize)]
struct Mounted {
    path: String,
    #[serde(rename = "type")]
    engine: String,
    #[serde(default)]
    options: Option<BTreeMap<String, String>>,
}

// === impl Mounts ===

impl Mounts {
    pub(super) fn new(configured: &BTreeMap<String, MountKind>) -> Self {
        let mounts = configured.iter().map(|(path, kind)| (trimmed(path), *kind));
        Self(Mutex::new(mounts.collect()))
    }

    /// The mount that `path` is below; of two the longer.
    pub(super) fn of(&self, path: &str) -> Option<(String, MountKind)> {
        let known = self.lock();
        let above = known.iter().filter(|(mount, _)| {
            path.strip_prefix(mount.as_str())
                .is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
        });
        let longest = above.max_by_key(|(mount, _)| mount.len());
        longest.map(|(mount, kind)| (mount.clone(), *kind))
    }

    /// Keeps what `data`, the answer of Vault, says.
    pub(super) fn learn(&self, data: &str) -> Result<(String, MountKind), Failure> {
        let mounted: Mounted = serde_json::from_str(data).map_err(|_| {
            let remedy = "set `mounts`: what Vault says of the mount is not understood";
            Failure::new(Cause::Malformed, remedy)
        })?;
        let version = mounted
            .options
            .as_ref()
            .and_then(|options| options.get("version"));
        let kind = match (mounted.engine.as_str(), version.map(String::as_str)) {
            ("kv", Some("2")) => MountKind::KvV2,
            // `generic` is what version 1 was called before Vault 0.10.
            ("kv" | "generic", _) => MountKind::KvV1,
            ("database", _) => MountKind::Database,
            ("pki", _) => MountKind::Pki,
            _ => MountKind::Other,
        };
        let path = trimmed(&mounted.path);
        self.lock().insert(path.clone(), kind);
        Ok((path, kind))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, MountKind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn trimmed(path: &str) -> String {
    path.trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_is_that_of_a_path() {
        let configured = [("kv/", MountKind::KvV1), ("kv/team", MountKind::KvV2)];
        let mounts = Mounts::new(&configured.map(|(k, v)| (k.to_owned(), v)).into());
        for (path, expected) in [
            ("kv/orders", Some("kv")),
            ("kv/team/orders", Some("kv/team")),
            ("kv/teams/orders", Some("kv")),
            ("kvx/orders", None),
        ] {
            assert_eq!(
                mounts.of(path).map(|(mount, _)| mount).as_deref(),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn what_vault_says_of_a_mount_is_kept() {
        for (data, path, kind) in [
            (
                r#"{"path":"kv/","type":"kv","options":{"version":"2"},"uuid":"x"}"#,
                "kv",
                MountKind::KvV2,
            ),
            (
                r#"{"path":"old/","type":"kv","options":{"version":"1"}}"#,
                "old",
                MountKind::KvV1,
            ),
            (
                r#"{"path":"older/","type":"kv","options":null}"#,
                "older",
                MountKind::KvV1,
            ),
            (
                r#"{"path":"db/","type":"database","options":null}"#,
                "db",
                MountKind::Database,
            ),
            (r#"{"path":"a/b/","type":"pki"}"#, "a/b", MountKind::Pki),
            (r#"{"path":"aws/","type":"aws"}"#, "aws", MountKind::Other),
        ] {
            let mounts = Mounts::default();
            assert_eq!(mounts.learn(data).unwrap(), (path.to_owned(), kind));
            assert_eq!(mounts.of(&format!("{path}/x")).unwrap().1, kind);
        }
        assert_eq!(
            Mounts::default().learn("[]").unwrap_err().cause,
            Cause::Malformed
        );
    }
}
