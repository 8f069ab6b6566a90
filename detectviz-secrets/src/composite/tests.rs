use super::*;
use crate::{
    env::EnvStore,
    keeper::{
        CacheConfig, Keeper,
        tests::support::{keeper, pass, text},
    },
};
use detectviz_core::{
    secret::{SecretErrorKind, SecretRef, SecretsProvider},
    task::Tasks,
    telemetry::metrics::{Registry, Value},
};
use std::sync::Arc;

fn parsed(text: &str) -> SecretRef {
    text.parse().unwrap()
}

fn env(name: &str, value: &str) -> Arc<dyn SecretsProvider> {
    let store = EnvStore::new([(name, value)]);
    Arc::new(Keeper::new(store, CacheConfig::default(), &Tasks::new()))
}

fn falling(
    first: Arc<dyn SecretsProvider>,
    config: &FallbackConfig,
    registry: &Registry,
) -> FallbackProvider {
    let rest: Vec<(String, Arc<dyn SecretsProvider>)> = vec![
        ("env".to_owned(), env("B", "env")),
        ("file".to_owned(), env("A", "file")),
    ];
    FallbackProvider::new(("told", first), rest, config, registry, &Tasks::new())
}

#[tokio::test]
async fn an_unknown_scheme_is_an_error_that_lists_the_known_ones() {
    let env = env("A", "b");
    let provider = CompositeProvider::new()
        .with("env", env)
        .without("vault", "set `secrets.vault.enabled: true`");
    assert!(provider.get(&parsed("${secret:env:A}")).await.is_ok());
    for (text, remedy) in [
        ("${secret:valut:A}", "this service serves: env"),
        ("${secret:vault:A}", "set `secrets.vault.enabled: true`"),
    ] {
        let err = provider.get(&parsed(text)).await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::UnknownScheme);
        assert!(err.to_string().ends_with(remedy), "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_asked_falls_back_in_order_and_each_is_counted_with_its_reason() {
    let (world, first) = keeper(CacheConfig::default());
    let registry = Registry::new();
    let config = FallbackConfig::default().to(["env", "file"]);
    let provider = falling(Arc::new(first), &config, &registry);
    world.set(Some(SecretErrorKind::Unavailable));
    for (path, expected) in [("A", "file"), ("B", "env")] {
        let wanted = parsed(&format!("${{secret:told:{path}}}"));
        let bundle = provider.get(&wanted).await.unwrap();
        assert_eq!(text(&bundle), expected);
        let counted = registry.snapshot();
        let counted = counted.value(
            "detectviz_secrets_fallbacks_total",
            &["told", expected, "unavailable"],
        );
        assert_eq!(counted, Some(&Value::Counter(1)));
    }
    let err = provider.get(&parsed("${secret:told:C}")).await.unwrap_err();
    let said = err.to_string();
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    for part in ["${secret:told:C}", "${secret:env:C}", "${secret:file:C}"] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_first_store_refuses_is_had_elsewhere_only_when_the_configuration_says_so() {
    let wanted = parsed("${secret:told:A}");
    for (kind, reason) in [
        (SecretErrorKind::NotFound, FallbackReason::NotFound),
        (SecretErrorKind::Denied, FallbackReason::Denied),
    ] {
        for (on, falls) in [
            (vec![FallbackReason::Unavailable], false),
            (vec![reason], true),
        ] {
            let (world, first) = keeper(CacheConfig::default());
            world.set(Some(kind));
            let config = FallbackConfig::default().to(["file"]).on(on);
            let provider = falling(Arc::new(first), &config, &Registry::new());
            assert_eq!(provider.get(&wanted).await.is_ok(), falls, "{kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_returns_to_the_first_store_when_it_is_back_and_never_goes_back() {
    let (world, first) = keeper(CacheConfig::default());
    let config = FallbackConfig::default().to(["file"]);
    let provider = falling(Arc::new(first), &config, &Registry::new());
    world.set(Some(SecretErrorKind::Unavailable));
    let wanted = parsed("${secret:told:A}");
    let mut watch = provider.watch(&wanted).await.unwrap();
    assert_eq!(text(&watch.latest()), "file");
    pass(600).await;
    world.set(None);
    let begun = tokio::time::Instant::now();
    let back = watch.changed().await.unwrap();
    assert!(begun.elapsed().as_secs() <= 31);
    assert_eq!((text(&back).as_str(), back.version().sequence), ("0", 2));
    world.rotate();
    let next = watch.changed().await.unwrap();
    assert_eq!((text(&next).as_str(), next.version().sequence), ("1", 3));
}
