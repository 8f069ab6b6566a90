//! All the secrets that a service needs, before it starts.
use super::{SecretError, SecretErrorKind, SecretRef, SecretsProvider};
use crate::{
    clock,
    error::{Error, ErrorKind},
};
use futures_util::future::join_all;
use std::{
    error::Error as _,
    time::{Duration, Instant},
};

/// How long the first pause before another try is; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Fetches every secret of `references` at the same time, so that a service finds out before it starts what it cannot
/// have. A store that cannot be asked is asked again, with growing pauses, until `within` is over; every other error is
/// final.
///
/// # Errors
/// One error that names every reference which failed, and why: of kind `Unavailable` (exit code 69) when all that failed
/// could not be asked for, else `Config` (exit code 64).
///
/// # Cancel safety
/// Safe to drop.
pub async fn fetch_all(
    provider: &dyn SecretsProvider,
    references: &[SecretRef],
    within: Duration,
) -> Result<(), Error> {
    let until = clock::now() + within;
    let fetches = references
        .iter()
        .map(|reference| fetch(provider, reference, until));
    let mut failed: Vec<SecretError> = join_all(fetches).await.into_iter().flatten().collect();
    if failed.is_empty() {
        return Ok(());
    }
    let unavailable = |err: &SecretError| err.kind() == SecretErrorKind::Unavailable;
    let kind = if failed.iter().all(unavailable) {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Config
    };
    // What can be mended in the configuration comes first.
    failed.sort_by_key(unavailable);
    let (count, of) = (failed.len(), references.len());
    let what = if of == 1 { "secret" } else { "secrets" };
    let all = failed.iter().map(with_causes).collect::<Vec<_>>();
    let message = format!(
        "{count} of {of} {what} could not be had: {}",
        all.join("; ")
    );
    Err(Error::new(kind, message))
}

/// What an error and those that caused it say; one message for all of them has no room for a chain each.
fn with_causes(err: &SecretError) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        text = format!("{text}: {err}");
        cause = err.source();
    }
    text
}

/// What failed for good.
async fn fetch(
    provider: &dyn SecretsProvider,
    reference: &SecretRef,
    until: Instant,
) -> Option<SecretError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let answer = provider.get(reference).await;
        let err = answer
            .and_then(|bundle| bundle.value(reference).map(|_| ()))
            .err()?;
        let rest = until.saturating_duration_since(clock::now());
        if err.kind() != SecretErrorKind::Unavailable || rest.is_zero() {
            return Some(err);
        }
        // Jittered, since all replicas of a service start together.
        let jittered = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::time::sleep(jittered.min(rest)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
