//! A service that says all it can about the secrets it holds, in every way but one: `/leak/<form>` says one on purpose.
use detectviz_core::{
    config::Section,
    error::BoxError,
    runtime::{Builder, Kind},
    secret::{
        AuditedProvider, Lease, Secret, SecretBundle, SecretError, SecretErrorKind,
        SecretPublisher, SecretRef, SecretWatch, SecretsProvider,
    },
    task::{Component, Tasks},
};
use detectviz_http::{
    body::RequestBody,
    kinds::{self, App},
};
use detectviz_secrets::{
    SecretsConfig,
    env::{EnvStore, process_environment},
    file::{FileConfig, FileStore},
    store::Store,
};
use detectviz_tests::{leaks::Form, memory::count};
use http::{Request, Response};
use http_body_util::Full;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, error::Error, process::ExitCode, sync::Arc, time::Duration};
use tracing::Instrument;

/// What the service is told.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct TellerConfig {
    /// Secrets that are there.
    secrets: Vec<SecretRef>,
}

/// Everything that knows a secret, or where one is.
#[derive(Clone, Debug)]
struct Teller {
    config: TellerConfig,
    secrets: Arc<AuditedProvider>,
    files: Arc<FileStore>,
    env: Arc<EnvStore>,
}

/// What holds secrets while it is shown.
#[derive(Debug)]
#[expect(dead_code, reason = "it is there to be shown")]
struct Held {
    teller: Teller,
    values: Vec<Secret>,
    bundles: Vec<SecretBundle>,
    watches: Vec<SecretWatch>,
    publisher: Option<SecretPublisher>,
}

/// References that fail in every way there is; the files hold canaries.
const FAILING: [&str; 8] = [
    "file:absent",
    "file:empty",
    "file:broken.json#a",
    "file:broken.yaml#a",
    "file:broken.env#A",
    "file:whole.json#nofield",
    "env:CANARYS",
    "unknown:x",
];

fn main() -> ExitCode {
    Builder::new("teller", "1.0.0")
        .composition(
            "components: [{name: admin, kind: admin}, {name: teller, kind: teller}, {name: http, kind: http-server}]",
        )
        .app_config("telemetry: {logs: {level: trace}}")
        .secrets(SecretsConfig::SCHEMES, |config: SecretsConfig, cx| {
            config.build(cx)
        })
        .kind(kinds::admin())
        .kind(Kind::new("teller", "Says all it can.", |config: TellerConfig, cx| {
            let files = FileConfig::default().root(".");
            let teller = Teller {
                config,
                secrets: Arc::new(AuditedProvider::new("teller", cx.secrets())),
                files: Arc::new(FileStore::new(files, &Tasks::new())),
                env: Arc::new(EnvStore::new(process_environment())),
            };
            cx.provide(teller.clone());
            Ok(teller)
        }))
        .kind(kinds::server(|cx| {
            let teller: Teller = cx.provided("teller")?;
            let service = tower::service_fn(move |request: Request<RequestBody>| {
                let (teller, path) = (teller.clone(), request.uri().path().to_owned());
                async move { Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::from(teller.tell(&path).await))) }
            });
            Ok::<_, BoxError>(App::new(service))
        }))
        .run()
}

// === impl TellerConfig ===

impl Default for TellerConfig {
    fn default() -> Self {
        let all = [
            "env:CANARY",
            "file:token",
            "file:volume#password",
            "file:whole.json#a",
        ];
        let all = all.map(|text| text.parse().expect("a valid reference"));
        Self {
            secrets: all.to_vec(),
        }
    }
}

impl Section for TellerConfig {}

// === impl Teller ===

impl Component for Teller {}

impl Teller {
    async fn tell(&self, path: &str) -> String {
        match path.split('/').collect::<Vec<_>>()[..] {
            ["", "panic"] => panic!(
                "it holds {:?} and {:#?}",
                self.held().await,
                self.held().await
            ),
            ["", "events"] => self.events().await,
            ["", "failures"] => self.failures().await,
            ["", "shown"] => format!("{:?} {:#?}", self.held().await, self.held().await),
            ["", "config"] => serde_json::to_string(&self.config).unwrap_or_default(),
            ["", "count", masked] => format!("{:?}", masked.parse().map(|masked| count(&masked))),
            ["", "leak", form] => self.leak(form).await,
            _ => "what?".to_owned(),
        }
    }

    async fn held(&self) -> Held {
        let (mut bundles, mut values, mut watches) = (Vec::new(), Vec::new(), Vec::new());
        for reference in &self.config.secrets {
            watches.extend(self.secrets.watch(reference).await.ok());
            let bundle = self.secrets.get(reference).await.expect("it is there");
            values.push(bundle.value(reference).expect("it has a value").clone());
            let fields = bundle
                .field_names()
                .map(|name| (name.to_owned(), bundle.field(name).cloned()));
            let fields = fields
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
            let granted = detectviz_core::clock::now();
            let lease = Lease::new(
                "lease-of-teller",
                granted,
                Duration::from_secs(9),
                true,
                || {},
            );
            bundles.push(SecretBundle::leased(
                fields,
                bundle.version().clone(),
                lease,
            ));
            bundles.push(bundle);
        }
        Held {
            teller: self.clone(),
            publisher: bundles.first().cloned().map(SecretPublisher::new),
            values,
            bundles,
            watches,
        }
    }

    async fn events(&self) -> String {
        let held = self.held().await;
        let (value, bundle) = (&held.values[0], &held.bundles[0]);
        let span = tracing::info_span!("telling", password = ?value, ?bundle, note = ?held, kept = tracing::field::Empty);
        async {
            tracing::Span::current().record("kept", tracing::field::debug(&held));
            tracing::trace!(?value, ?bundle, "trace {held:?}");
            tracing::debug!(note = ?value, "debug {bundle:?}");
            tracing::info!(?held, "info {value:?}");
            tracing::warn!(watch = ?held.watches, "warn {held:#?}");
            tracing::error!(publisher = ?held.publisher, "error");
        }
        .instrument(span)
        .await;
        "told".to_owned()
    }

    async fn failures(&self) -> String {
        let mut told = String::new();
        let mut say = |err: &SecretError| {
            tracing::error!(error = %err, debug = ?err, source = ?err.source(), "a secret could not be had");
            told.push_str(&format!("{err}\n{err:?}\n{err:#?}\n"));
            let mut source = err.source();
            while let Some(cause) = source {
                told.push_str(&format!("{cause} {cause:?}\n"));
                source = cause.source();
            }
        };
        for text in FAILING {
            let reference: SecretRef = text.parse().expect("a valid reference");
            match self.secrets.get(&reference).await {
                Err(err) => say(&err),
                Ok(bundle) => say(&bundle
                    .value(&reference)
                    .expect_err("there is no such field")),
            }
            if let Err(err) = self.files.fetch(&reference).await {
                say(&err);
            }
            if let Err(err) = self.env.fetch(&reference).await {
                say(&err);
            }
        }
        for kind in [SecretErrorKind::Denied, SecretErrorKind::Unavailable] {
            let reference = &self.config.secrets[0];
            let err = SecretError::new(kind, reference, "nothing").with_source(std::fmt::Error);
            say(&err);
        }
        told
    }

    /// Proves that whoever searches can find.
    async fn leak(&self, form: &str) -> String {
        let held = self.held().await;
        let form = Form::ALL.into_iter().find(|known| known.name() == form);
        let leaked = form.map(|form| form.write(held.values[0].expose()));
        let leaked = leaked.unwrap_or_default();
        tracing::info_span!("leaking", note = leaked)
            .in_scope(|| tracing::info!("leaked {leaked}"));
        "leaked".to_owned()
    }
}
