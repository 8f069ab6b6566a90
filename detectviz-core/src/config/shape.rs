//! What the schema of a type says about the value at a path.
use super::path::{KeyPath, Step};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::Value;

/// The key of a schema that says whether a change applies at once (`live`) or needs a `restart`.
pub(crate) const RELOAD: &str = "x-reload";
/// The key of a schema that says that a text is a reference to a secret.
pub(crate) const SECRET: &str = "x-secret";

/// References in a schema that are followed at one path: more is a circle.
const MAX_HOPS: usize = 16;

/// The schema of a type.
#[derive(Clone, Debug)]
pub(crate) struct Shape(Value);

/// What stands at a path: every schema that the value there may have to fit.
#[derive(Debug, Default)]
struct Here<'a> {
    schemas: Vec<&'a Value>,
    live: bool,
}

// === impl Shape ===

impl Shape {
    pub(crate) fn of<T: JsonSchema>() -> Self {
        Self(Self::schema::<T>().to_value())
    }

    /// The schema of `T` for what is read, with everything inlined that is not recursive.
    pub(crate) fn schema<T: JsonSchema>() -> Schema {
        let settings = SchemaSettings::draft2020_12()
            .for_deserialize()
            .with(|settings| settings.inline_subschemas = true);
        settings.into_generator().into_root_schema_for::<T>()
    }

    /// Whether a change of the value applies without a restart. The nearest mark on the way decides.
    pub(crate) fn is_live(&self, path: &KeyPath) -> bool {
        self.at(path).live
    }

    /// Whether a reference to a secret may stand there; `None` where the type knows no such path.
    pub(crate) fn is_secret(&self, path: &KeyPath) -> Option<bool> {
        let here = self.at(path);
        let marked = |schema: &&Value| schema.get(SECRET).is_some();
        (!here.schemas.is_empty()).then(|| here.schemas.iter().any(marked))
    }

    fn at(&self, path: &KeyPath) -> Here<'_> {
        let mut here = Here::default();
        here.add(&self.0, &self.0, MAX_HOPS);
        for step in path.steps() {
            here = here.below(&self.0, step);
        }
        here
    }
}

// === impl Here ===

impl<'a> Here<'a> {
    /// Adds `schema` and the schemas that it stands for.
    fn add(&mut self, root: &'a Value, schema: &'a Value, hops: usize) {
        let Some(hops) = hops.checked_sub(1) else {
            return;
        };
        if let Some(mark) = schema.get(RELOAD).and_then(Value::as_str) {
            self.live = mark == "live";
        }
        self.schemas.push(schema);
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| root.pointer(pointer));
            if let Some(target) = target {
                self.add(root, target, hops);
            }
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            for choice in schema
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.add(root, choice, hops);
            }
        }
    }

    fn below(&self, root: &'a Value, step: &Step) -> Self {
        let mut next = Self {
            schemas: Vec::new(),
            live: self.live,
        };
        for &schema in &self.schemas {
            let found = match step {
                Step::Key(key) => schema
                    .pointer("/properties")
                    .and_then(|properties| properties.get(key))
                    .or_else(|| schema.get("additionalProperties")),
                Step::Index(index) => schema
                    .pointer("/prefixItems")
                    .and_then(|items| items.get(index))
                    .or_else(|| schema.get("items")),
            };
            if let Some(found) = found.filter(|found| **found != Value::Bool(false)) {
                next.add(root, found, MAX_HOPS);
            }
        }
        next
    }
}
