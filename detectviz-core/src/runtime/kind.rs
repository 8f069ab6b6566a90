//! What a component of `composition.yaml` may be.
use super::BuildContext;
use crate::{
    config::{Loaded, SchemaBuilder, Section, schema_of},
    error::BoxError,
    task::Component,
};
use schemars::Schema;
use std::{fmt, sync::Arc};

/// A kind of component: the settings it reads and how it is built from them.
pub struct Kind {
    name: &'static str,
    description: &'static str,
    first: bool,
    schema: fn() -> Schema,
    prepare: Prepare,
}

/// Reads the section of a component.
type Prepare = Box<dyn Fn(&mut Loaded, &str) -> Prepared + Send + Sync>;

/// A component whose settings have been read; building it is what is left.
pub(super) type Prepared =
    Box<dyn FnOnce(&mut BuildContext<'_>) -> Result<Arc<dyn Component>, BoxError> + Send>;

/// What applies the live keys of one section when the configuration is read again.
pub(super) type Reload = Box<dyn Fn(&mut Loaded) + Send + Sync>;

/// What applies live keys, by section.
pub(super) type Reloads = Vec<(String, Reload)>;

/// A component without a life of its own: everything it does, its `build` did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passive;

// === impl Kind ===

impl Kind {
    /// A kind called `name` in `composition.yaml`, whose section in `app_config.yaml` is a `C`.
    ///
    /// `build` makes the component and touches nothing outside the process: its
    /// [`start`](Component::start) is the first to bind or connect.
    #[must_use]
    pub fn new<C, T>(
        name: &'static str,
        description: &'static str,
        build: impl Fn(C, &mut BuildContext<'_>) -> Result<T, BoxError> + Send + Sync + 'static,
    ) -> Self
    where
        C: Section,
        T: Component,
    {
        let build = Arc::new(build);
        Self {
            name,
            description,
            first: false,
            schema: schema_of::<C>,
            prepare: Box::new(move |loaded, component| {
                let config = loaded.section::<C>(component);
                let build = Arc::clone(&build);
                Box::new(move |cx| Ok(Arc::new(build(config, cx)?)))
            }),
        }
    }

    /// Components of this kind start before all others and stop after them, such as the admin port, which answers probes
    /// until the very end.
    #[must_use]
    pub fn first(mut self) -> Self {
        self.first = true;
        self
    }

    /// Its name in `composition.yaml`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether components of this kind start before all others.
    pub(super) fn is_first(&self) -> bool {
        self.first
    }

    /// Adds the schema of its section.
    pub(super) fn describe(&self, schema: SchemaBuilder) -> SchemaBuilder {
        schema.kind(self.name, self.description, (self.schema)())
    }

    /// Reads the section of `component`; problems stay in `loaded`.
    pub(super) fn prepare(&self, loaded: &mut Loaded, component: &str) -> Prepared {
        (self.prepare)(loaded, component)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// === impl Passive ===

impl Component for Passive {}
