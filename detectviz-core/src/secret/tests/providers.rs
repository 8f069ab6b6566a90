//! What is put around a provider: the fetch at the start, and the audit.
use super::{super::*, bundle};
use crate::error::ErrorKind;
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// Answers by the path: `ok`, `later` (from the third time on), `away`, `denied`, `empty`.
#[derive(Default)]
struct ByPath {
    asked: AtomicU32,
}

#[async_trait]
impl SecretsProvider for ByPath {
    fn name(&self) -> &str {
        "by path"
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        let times = self.asked.fetch_add(1, Ordering::Relaxed);
        let failed = |kind| Err(SecretError::new(kind, reference, "do something"));
        match reference.path() {
            "ok" => Ok(bundle("canary", 1)),
            "later" if times >= 2 => Ok(bundle("canary", 1)),
            "empty" => Ok(bundle("", 1)),
            "denied" => failed(SecretErrorKind::Denied),
            _ => failed(SecretErrorKind::Unavailable),
        }
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        self.get(reference).await
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        let first = self.get(reference).await?;
        Ok(SecretPublisher::new(first).subscribe())
    }
}

fn references(paths: &[&str]) -> Vec<SecretRef> {
    let parsed = paths
        .iter()
        .map(|path| format!("${{secret:env:{path}}}").parse());
    parsed.collect::<Result<_, _>>().unwrap()
}

#[tokio::test(start_paused = true)]
async fn at_the_start_all_that_fails_is_said_at_once() {
    for (paths, kind, said) in [
        (vec!["ok"], None, ""),
        (vec!["later"], None, ""),
        (vec![], None, ""),
        (
            vec!["away"],
            Some(ErrorKind::Unavailable),
            "1 of 1 secret could",
        ),
        (
            vec!["denied", "ok"],
            Some(ErrorKind::Config),
            "1 of 2 secrets could",
        ),
        (
            vec!["away", "empty", "denied"],
            Some(ErrorKind::Config),
            "3 of 3 secrets could",
        ),
    ] {
        let wanted = references(&paths);
        let begun = tokio::time::Instant::now();
        let provider = ByPath::default();
        let err = fetch_all(&provider, &wanted, Duration::from_secs(30))
            .await
            .err();
        assert_eq!(
            err.as_ref().map(crate::error::Error::kind),
            kind,
            "{paths:?}"
        );
        let text = err.map_or(String::new(), |err| err.to_string());
        assert!(text.contains(said) && !text.contains("canary"), "{text}");
        for path in paths.iter().filter(|path| !["ok", "later"].contains(path)) {
            assert!(text.contains(&format!("${{secret:env:{path}}}")), "{text}");
        }
        let patience = Duration::from_secs(if paths.contains(&"away") { 30 } else { 0 });
        let waited = begun.elapsed();
        assert!(
            waited >= patience && waited < patience + Duration::from_secs(1),
            "{waited:?}"
        );
    }
}

#[tokio::test]
async fn an_audited_provider_answers_what_the_other_answers() {
    let provider = AuditedProvider::new("orders", Arc::new(ByPath::default()));
    let [ok, denied] = &references(&["ok", "denied"])[..] else {
        unreachable!()
    };
    assert!(provider.get(ok).await.is_ok() && provider.refresh(ok).await.is_ok());
    assert!(provider.watch(ok).await.is_ok());
    let err = provider.get(denied).await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    let shown = format!("{provider:?}");
    assert!(
        shown.contains("orders") && !shown.contains("canary"),
        "{shown}"
    );
}
