//! One store, and where else to look when it cannot be asked.
use super::FallbackConfig;
use crate::{names, schedule::FIRST_PAUSE};
use async_trait::async_trait;
use detectviz_core::{
    secret::{
        SecretBundle, SecretError, SecretErrorKind, SecretPublisher, SecretRef, SecretVersion,
        SecretWatch, SecretsProvider,
    },
    task::{CancellationToken, Tasks},
    telemetry::metrics::{Counter, Desc, Family, Kind, Registry, Unit},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::sleep;

pub(crate) static FALLBACKS: Desc = Desc {
    name: names::FALLBACKS,
    help: "Secrets that were had from another store than the first, by reason.",
    unit: Unit::Of("{get}"),
    kind: Kind::Counter,
    labels: &["from", "to", "reason"],
    buckets: &[],
};

/// The longest pause before a watch asks the first store again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Asks one provider, and others for the same path and field when that fails in a way that the configuration names.
pub struct FallbackProvider {
    scheme: String,
    first: Arc<dyn SecretsProvider>,
    rest: Vec<(String, Arc<dyn SecretsProvider>)>,
    on: Vec<SecretErrorKind>,
    fallbacks: Family<Counter>,
    tasks: Tasks,
}

/// What a watch begins with while the first provider gives nothing.
struct Followed {
    publisher: SecretPublisher,
    sequence: u64,
}

// === impl FallbackProvider ===

impl FallbackProvider {
    /// Asks `first`, the provider of `scheme`, and then `rest`, each under its own scheme, as `config` says; of what `config`
    /// lists under `to`, `rest` is what there is. Watches are followed on `tasks`.
    #[must_use]
    pub fn new(
        (scheme, first): (&str, Arc<dyn SecretsProvider>),
        rest: Vec<(String, Arc<dyn SecretsProvider>)>,
        config: &FallbackConfig,
        registry: &Registry,
        tasks: &Tasks,
    ) -> Self {
        Self {
            scheme: scheme.to_owned(),
            first,
            rest,
            on: config.on.iter().map(|reason| reason.kind()).collect(),
            fallbacks: registry.counter(&FALLBACKS),
            tasks: tasks.clone(),
        }
    }

    /// The answer of the first of the rest that gives one, after `first` has failed with `err`.
    async fn fall<T, F: Future<Output = Result<T, SecretError>>>(
        &self,
        reference: &SecretRef,
        err: SecretError,
        ask: impl Fn(Arc<dyn SecretsProvider>, SecretRef) -> F,
    ) -> Result<T, SecretError> {
        if !self.on.contains(&err.kind()) {
            return Err(err);
        }
        let mut said = String::new();
        for (scheme, provider) in &self.rest {
            let other = match reference.with_scheme(scheme) {
                Ok(other) => ask(Arc::clone(provider), other).await,
                Err(_) => continue,
            };
            match other {
                Ok(had) => {
                    let labels = [self.scheme.as_str(), scheme, err.kind().as_str()];
                    self.fallbacks.with(&labels).inc();
                    tracing::warn!(error = %err, to = scheme, "a secret was had elsewhere");
                    return Ok(had);
                }
                Err(other) => said = format!("{said}; {other}"),
            }
        }
        let remedy = format!("the fallbacks have none either{said}");
        Err(SecretError::new(err.kind(), reference, remedy).with_source(err))
    }
}

#[async_trait]
impl SecretsProvider for FallbackProvider {
    fn name(&self) -> &str {
        self.first.name()
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        match self.first.get(reference).await {
            Ok(bundle) => Ok(bundle),
            Err(err) => {
                let ask = |p: Arc<dyn SecretsProvider>, r| async move { p.get(&r).await };
                self.fall(reference, err, ask).await
            }
        }
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        match self.first.refresh(reference).await {
            Ok(bundle) => Ok(bundle),
            Err(err) => {
                let ask = |p: Arc<dyn SecretsProvider>, r| async move { p.refresh(&r).await };
                self.fall(reference, err, ask).await
            }
        }
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        let err = match self.first.watch(reference).await {
            Ok(watch) => return Ok(watch),
            Err(err) => err,
        };
        let ask = |p: Arc<dyn SecretsProvider>, r| async move { p.watch(&r).await };
        let second = self.fall(reference, err, ask).await?;
        let followed = Followed::new(&second.latest());
        let watch = followed.publisher.subscribe();
        let (first, reference) = (Arc::clone(&self.first), reference.clone());
        let stopping = self.tasks.token();
        self.tasks.spawn("secret fallback", async move {
            followed.follow(&*first, &reference, second, stopping).await;
        });
        Ok(watch)
    }
}

impl fmt::Debug for FallbackProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.rest.iter().map(|(scheme, _)| scheme);
        f.debug_struct("FallbackProvider")
            .field("scheme", &self.scheme)
            .field("rest", &rest.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

// === impl Followed ===

impl Followed {
    fn new(first: &SecretBundle) -> Self {
        Self {
            publisher: SecretPublisher::new(first.renumbered(version(1, first))),
            sequence: 1,
        }
    }

    /// Passes on what `second` says until `first` says something, and from then on that, for as long as anybody watches.
    async fn follow(
        mut self,
        first: &dyn SecretsProvider,
        reference: &SecretRef,
        mut second: SecretWatch,
        stopping: CancellationToken,
    ) {
        let mut pause = FIRST_PAUSE;
        let mut first = loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.publisher.unwatched() => return,
                next = second.changed() => match next {
                    Some(next) => self.publish(&next),
                    None => return,
                },
                () = sleep(pause) => match first.watch(reference).await {
                    Ok(watch) => break watch,
                    Err(_) => pause = (pause * 2).min(LONGEST_PAUSE),
                },
            }
        };
        drop(second);
        self.publish(&first.latest());
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.publisher.unwatched() => return,
                next = first.changed() => match next {
                    Some(next) => self.publish(&next),
                    None => return,
                },
            }
        }
    }

    fn publish(&mut self, next: &SecretBundle) {
        self.sequence += 1;
        let renumbered = next.renumbered(version(self.sequence, next));
        if next.lease().is_some() {
            self.publisher.supersede(renumbered);
        } else {
            self.publisher.publish(renumbered);
        }
    }
}

fn version(sequence: u64, of: &SecretBundle) -> SecretVersion {
    let label = of.version().label.clone();
    SecretVersion { sequence, label }
}
