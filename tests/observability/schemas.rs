//! The files in `schemas/`: written by `DETECTVIZ_BLESS=1 cargo nextest run -p detectviz-tests --all-features schemas`.
use detectviz_core::{
    discovery::ServiceDiscoveryProvider,
    runtime::{Builder, Options},
    telemetry::metrics::catalog,
};
use detectviz_discovery::DiscoveryConfig;
use detectviz_http::kinds::{self, App};
use detectviz_secrets::SecretsConfig;
use detectviz_tests::repository;
use serde_json::Value;
use std::{io, sync::Arc};

/// Those that have metrics.
const LIBRARIES: [&str; 3] = ["detectviz-core", "detectviz-http", "detectviz-secrets"];

/// A service with everything that this repository offers.
pub(crate) fn everything() -> Builder {
    Builder::new("everything", "0.0.0")
        .composition(
            "components: [{name: admin, kind: admin}, {name: client, kind: http-client}, {name: http, kind: http-server}]",
        )
        .secrets(SecretsConfig::SCHEMES, |config: SecretsConfig, cx| config.build(cx))
        .discovery(|config: DiscoveryConfig, _| {
            let provider: Arc<dyn ServiceDiscoveryProvider> = config.build();
            Ok(provider)
        })
        .kind(kinds::admin())
        .kind(kinds::client())
        .kind(kinds::server(|_| Ok(App::new(axum::Router::new()))))
}

/// Whether everything is compiled in: without the features of this crate, some sections are not there.
pub(crate) fn is_whole() -> bool {
    cfg!(all(feature = "aws", feature = "azure", feature = "gcp"))
}

/// Compares a generated file with what is committed, or writes it.
fn is_fresh(name: &str, generated: &Value) {
    let path = format!("schemas/{name}.json");
    let text = format!("{generated:#}\n");
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that writes the files"
    )]
    let bless = std::env::var_os("DETECTVIZ_BLESS").is_some_and(|value| value == "1");
    if bless {
        std::fs::write(repository::root().join(&path), &text).expect("the file can be written");
    }
    let hint = "run DETECTVIZ_BLESS=1 cargo nextest run -p detectviz-tests --all-features schemas";
    assert!(repository::text(&path) == text, "{path} is stale: {hint}");
}

#[test]
fn the_schemas_of_both_files_are_fresh() {
    if !is_whole() {
        println!("left out: it needs --all-features");
        return;
    }
    let schema = everything().schema();
    is_fresh("app_config", &schema["app_config.yaml"]);
    is_fresh("composition", &schema["composition.yaml"]);
}

#[tokio::test]
async fn the_list_of_metrics_is_fresh() {
    if !is_whole() {
        println!("left out: it needs --all-features");
        return;
    }
    let builder = everything();
    let sources = builder.sources().set("telemetry.otlp.enabled=true");
    let plan = builder.plan(&sources).expect("the defaults are good");
    let runtime = plan
        .build(Options::embedded(io::sink()))
        .expect("it can be built");
    let mut all = runtime.shared().telemetry.metrics().describe();
    all.sort_by_key(|desc| desc.name);
    let names = LIBRARIES.map(|library| repository::text(&format!("{library}/src/names.rs")));
    for line in names.iter().flat_map(|text| text.lines()) {
        let name = line
            .strip_prefix("pub const ")
            .and_then(|line| line.split('"').nth(1));
        let known = |name| all.iter().any(|desc| desc.name == name);
        assert!(
            name.is_none_or(known),
            "not registered when the service is built: {line}"
        );
    }
    is_fresh("metrics", &catalog(&all));
}
