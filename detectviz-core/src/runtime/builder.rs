//! What a service is put together from.
use super::{
    Kind, Passive, ProviderContext,
    args::Flag,
    plan::{self, Plan},
};
use crate::{
    config::{Loaded, Problems, SchemaBuilder, Section, Sources, schema_of},
    discovery::ServiceDiscoveryProvider,
    error::BoxError,
    secret::SecretsProvider,
};
use schemars::Schema;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, process::ExitCode, sync::Arc};

/// Names the kinds of components that a service may have, and its defaults.
///
/// The order of the calls does not matter: what is built, and in which order, stands in `composition.yaml`.
#[must_use = "nothing happens before `run` or `plan`"]
pub struct Builder {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) embedded: Sources,
    pub(super) kinds: BTreeMap<&'static str, Kind>,
    pub(super) flags: Vec<Flag>,
    pub(super) schemes: Vec<&'static str>,
    pub(super) secrets: Option<ProviderKind<dyn SecretsProvider>>,
    pub(super) discovery: Option<ProviderKind<dyn ServiceDiscoveryProvider>>,
}

/// How a provider of the whole service is read and built.
pub(super) struct ProviderKind<P: ?Sized> {
    schema: fn() -> Schema,
    #[expect(clippy::type_complexity, reason = "a function that makes a function")]
    pub(super) prepare: Box<dyn Fn(&mut Loaded, &str) -> plan::PreparedProvider<P> + Send + Sync>,
}

// === impl Builder ===

impl Builder {
    /// A service without components. `name` and `version` are what it calls itself unless the configuration says
    /// otherwise; pass `env!("CARGO_PKG_NAME")` and `env!("CARGO_PKG_VERSION")`.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            embedded: Sources::new(),
            kinds: BTreeMap::new(),
            flags: Vec::new(),
            schemes: Vec::new(),
            secrets: None,
            discovery: None,
        }
        .kind(Kind::new(
            "passive",
            "A name that others may wait for.",
            |_: NoConfig, _| Ok(Passive),
        ))
    }

    /// The default `composition.yaml`, compiled into the program.
    pub fn composition(mut self, yaml: &str) -> Self {
        self.embedded = self
            .embedded
            .embedded_composition("composition.yaml (built in)", yaml);
        self
    }

    /// The default `app_config.yaml`, compiled into the program.
    pub fn app_config(mut self, yaml: &str) -> Self {
        self.embedded = self
            .embedded
            .embedded_app("app_config.yaml (built in)", yaml);
        self
    }

    /// Adds a kind of component, in place of an earlier one of that name.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kinds.insert(kind.name(), kind);
        self
    }

    /// Adds a flag such as `--port` that sets `path`, for example `http.port`.
    pub fn flag(
        mut self,
        name: impl Into<String>,
        path: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        self.flags.push(Flag {
            name: name.into(),
            path: path.into(),
            help: help.into(),
        });
        self
    }

    /// Where secrets are kept: built from the section `secrets`. A reference whose scheme is none of `schemes` is an error of
    /// the configuration; without this call, every reference is.
    pub fn secrets<C: Section>(
        mut self,
        schemes: &[&'static str],
        build: impl Fn(C, &mut ProviderContext<'_>) -> Result<Arc<dyn SecretsProvider>, BoxError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.schemes = schemes.to_vec();
        self.secrets = Some(ProviderKind::new(build));
        self
    }

    /// Where services are: built from the section `discovery`. Without one, no service is known by name.
    pub fn discovery<C: Section>(
        mut self,
        build: impl Fn(
            C,
            &mut ProviderContext<'_>,
        ) -> Result<Arc<dyn ServiceDiscoveryProvider>, BoxError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.discovery = Some(ProviderKind::new(build));
        self
    }

    /// The compiled-in defaults. What is added to them lies over them.
    pub fn sources(&self) -> Sources {
        self.embedded.clone()
    }

    /// Reads and checks the configuration: pass [`sources`](Self::sources) with what shall lie over the defaults.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn plan(&self, sources: &Sources) -> Result<Plan, Problems> {
        Plan::read(self, sources)
    }

    /// The schema of this program's `app_config.yaml` and `composition.yaml`, in one object under these names.
    #[must_use]
    pub fn schema(&self) -> Value {
        let mut schema = plan::describe(SchemaBuilder::new());
        if let Some(kind) = &self.secrets {
            schema = schema.section("secrets", "Where secrets are kept.", (kind.schema)());
        }
        if let Some(kind) = &self.discovery {
            schema = schema.section("discovery", "Where services are.", (kind.schema)());
        }
        let schema = self
            .kinds
            .values()
            .fold(schema, |schema, kind| kind.describe(schema));
        json!({ "app_config.yaml": schema.app_config(), "composition.yaml": schema.composition() })
    }

    /// Everything that `main` does: reads the command line and the environment, and serves until told to stop.
    #[must_use]
    pub fn run(self) -> ExitCode {
        super::process::run(self)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("kinds", &self.kinds.keys())
            .finish_non_exhaustive()
    }
}

// === impl ProviderKind ===

impl<P: ?Sized + 'static> ProviderKind<P> {
    fn new<C: Section>(
        build: impl Fn(C, &mut ProviderContext<'_>) -> Result<Arc<P>, BoxError> + Send + Sync + 'static,
    ) -> Self {
        let build = Arc::new(build);
        Self {
            schema: schema_of::<C>,
            prepare: Box::new(move |loaded, path| {
                let config = loaded.section::<C>(path);
                let build = Arc::clone(&build);
                Box::new(move |cx| build(config, cx))
            }),
        }
    }
}

/// A section without keys.
#[derive(
    Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
struct NoConfig {}

impl Section for NoConfig {}
