//! The JSON Schemas of `app_config.yaml` and `composition.yaml`, made of the types that read them.
use super::{
    composition::Composition,
    path::{KeyPath, Step},
    section::Section,
    shape::{RELOAD, Shape},
};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// Draft 2020-12.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Collects the sections and the kinds of components that a program knows, and makes the schemas of its two files.
///
/// Every object of the schemas refuses keys that it does not know, and every value is marked `x-reload: live` or
/// `x-reload: restart`.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SchemaBuilder {
    properties: Map<String, Value>,
    kinds: Vec<(String, Value)>,
    definitions: Map<String, Value>,
}

/// What a section looks like, for a [`SchemaBuilder`]: everything inlined that is not recursive.
#[must_use]
pub fn schema_of<T: Section>() -> Schema {
    Shape::schema::<T>()
}

// === impl SchemaBuilder ===

impl SchemaBuilder {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the section at `path`, such as `shutdown`, `telemetry.logs` or the name of a component. `schema` is what
    /// [`schema_of`] says of its type; an empty `description` leaves that of the type.
    pub fn section(mut self, path: &str, description: &str, schema: Schema) -> Self {
        let path = KeyPath::parse(path)
            .unwrap_or_else(|_| KeyPath::from_iter([Step::Key(path.to_owned())]));
        let schema = self.part(&path.to_string(), description, schema);
        place(&mut self.properties, path.steps(), schema);
        self
    }

    /// Adds a kind of component, whose section stands under whatever name the composition gives it.
    pub fn kind(mut self, kind: &str, description: &str, schema: Schema) -> Self {
        let mut schema = self.part(kind, description, schema);
        schema["title"] = kind.into();
        self.kinds.push((kind.to_owned(), schema));
        self
    }

    /// The schema of `app_config.yaml`. A key at the top that is no section must fit one of the kinds.
    #[must_use]
    pub fn app_config(&self) -> Value {
        let kinds: Vec<&Value> = self.kinds.iter().map(|(_, schema)| schema).collect();
        let rest = if kinds.is_empty() {
            json!(false)
        } else {
            json!({ "anyOf": kinds })
        };
        let mut root = json!({
            "$schema": DIALECT,
            "title": "app_config.yaml",
            "description": "How the service is tuned: a map by section, and by component name.",
            "type": ["object", "null"],
            "properties": self.properties,
            "additionalProperties": rest,
        });
        if !self.definitions.is_empty() {
            root["$defs"] = self.definitions.clone().into();
        }
        root
    }

    /// The schema of `composition.yaml`.
    #[must_use]
    pub fn composition(&self) -> Value {
        let mut root = Shape::schema::<Composition>().to_value();
        strict(&mut root, false);
        root["title"] = "composition.yaml".into();
        root["description"] = "What is in the box: the components of the service.".into();
        root["type"] = json!(["object", "null"]);
        let kinds: Vec<&str> = self.kinds.iter().map(|(kind, _)| kind.as_str()).collect();
        if let Some(kind) = root.pointer_mut("/properties/components/items/properties/kind")
            && !kinds.is_empty()
        {
            kind["enum"] = kinds.into();
        }
        root
    }

    /// `schema` as a part of ours; what it defines becomes a definition of ours.
    fn part(&mut self, owner: &str, description: &str, schema: Schema) -> Value {
        let mut schema = schema.to_value();
        if !description.is_empty() {
            schema["description"] = description.into();
        }
        strict(&mut schema, false);
        mark(&mut schema, false);
        let own = |name: &str| format!("{owner}.{name}");
        let definitions = match schema.get_mut("$defs").map(Value::take) {
            Some(Value::Object(definitions)) => definitions,
            _ => Map::new(),
        };
        let mut referred = false;
        refer(&mut schema, &own, &mut referred);
        for (name, mut definition) in definitions {
            refer(&mut definition, &own, &mut referred);
            strict(&mut definition, false);
            mark(&mut definition, false);
            self.definitions.insert(own(&name), definition);
        }
        if let Some(schema) = schema.as_object_mut() {
            for key in ["$schema", "$defs", "title"] {
                schema.remove(key);
            }
        }
        if referred {
            self.definitions.insert(own("self"), schema.clone());
        }
        schema
    }
}

/// Puts `schema` at `path`; what is above it is a strict map of sections.
fn place(properties: &mut Map<String, Value>, path: &[Step], schema: Value) {
    let Some((Step::Key(key), rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        properties.insert(key.clone(), schema);
        return;
    }
    let above = properties.entry(key.clone()).or_insert_with(
        || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
    );
    if let Some(Value::Object(below)) = above.get_mut("properties") {
        place(below, rest, schema);
    }
}

/// The schemas directly inside `schema`, and whether each describes the same value as `schema` does.
fn inside(schema: &mut Value) -> Vec<(bool, &mut Value)> {
    let mut found = Vec::new();
    let Value::Object(schema) = schema else {
        return found;
    };
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("properties" | "$defs" | "patternProperties", Value::Object(map)) => {
                found.extend(map.values_mut().map(|value| (false, value)));
            }
            ("additionalProperties" | "items", value @ Value::Object(_)) => {
                found.push((false, value))
            }
            ("prefixItems", Value::Array(items)) => {
                found.extend(items.iter_mut().map(|value| (false, value)))
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(items)) => {
                found.extend(items.iter_mut().map(|value| (true, value)));
            }
            _ => {}
        }
    }
    found
}

/// Refuses unknown keys wherever keys are known, as the reader does. `part` says that others describe the same value.
fn strict(schema: &mut Value, part: bool) {
    let mut split = false;
    if let Value::Object(schema) = schema {
        let has = |key: &str| schema.contains_key(key);
        let open =
            has("properties") && !has("additionalProperties") && !has("unevaluatedProperties");
        let others = ["$ref", "allOf", "anyOf", "oneOf"].into_iter().any(has);
        split = has("properties") && others;
        if open && !part {
            let key = if others {
                "unevaluatedProperties"
            } else {
                "additionalProperties"
            };
            schema.insert(key.to_owned(), false.into());
        }
    }
    for (same, below) in inside(schema) {
        strict(below, same && (part || split));
    }
}

/// Moves the marks of `x-reload` down to the values.
fn mark(schema: &mut Value, inherited: bool) {
    let Value::Object(object) = schema else {
        return;
    };
    let own = object.remove(RELOAD);
    let live = own
        .as_ref()
        .and_then(Value::as_str)
        .map_or(inherited, |mark| mark == "live");
    let structured = has_properties(schema);
    if structured {
        for (_, below) in inside(schema) {
            mark(below, live);
        }
    } else if !is_plain_part(schema) {
        schema[RELOAD] = if live { "live" } else { "restart" }.into();
    }
}

/// Whether `schema` or an alternative of it has keys of its own.
fn has_properties(schema: &Value) -> bool {
    let alternatives = ["allOf", "anyOf", "oneOf"]
        .into_iter()
        .filter_map(|key| schema.get(key)?.as_array());
    schema.get("properties").is_some() || alternatives.flatten().any(has_properties)
}

/// Whether `schema` is the `null` of an option or the tag of a variant, which is no value to mark.
fn is_plain_part(schema: &Value) -> bool {
    schema.get("const").is_some() || schema.get("type").is_some_and(|kind| kind == "null")
}

/// Points references at where the definitions of a section end up.
fn refer(schema: &mut Value, own: &impl Fn(&str) -> String, to_self: &mut bool) {
    if let Some(Value::String(reference)) = schema.get_mut("$ref") {
        if let Some(name) = reference.strip_prefix("#/$defs/") {
            *reference = format!("#/$defs/{}", own(name));
        } else if reference == "#" {
            *to_self = true;
            *reference = format!("#/$defs/{}", own("self"));
        }
    }
    for (_, below) in inside(schema) {
        refer(below, own, to_self);
    }
}
