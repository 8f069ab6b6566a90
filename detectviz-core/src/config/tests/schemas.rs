//! The schemas accept what the loader accepts, and refuse what it refuses.
use super::*;
use serde_json::{Value, json};

/// A type within itself, and variants with a tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Tree {
    children: Vec<Tree>,
    #[schemars(extend("x-reload" = "live"))]
    shade: Shade,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Shade {
    #[default]
    None,
    Round {
        radius: u32,
    },
}

impl Section for Tree {}

fn builder() -> SchemaBuilder {
    SchemaBuilder::new()
        .section("shop", "The shop.", schema_of::<Shop>())
        .section("telemetry.tree", "", schema_of::<Tree>())
        .kind("dashed", "Dashes.", schema_of::<Dashed>())
}

/// Whether the loader and the schema take `yaml`, and what the loader says.
fn accepted(yaml: &str, schema: &Value) -> (bool, bool, String) {
    let mut loaded = load(&app(yaml)).unwrap();
    let _: Shop = loaded.section("shop");
    let _: Tree = loaded.section("telemetry.tree");
    let _: Dashed = loaded.section("some-component");
    let mut problems = Vec::new();
    let tree = yaml::parse(&Origin::Default, yaml.as_bytes(), &mut problems).unwrap();
    let said = loaded.problems().to_string();
    let schema = jsonschema::is_valid(schema, &tree.to_json());
    (loaded.finish().is_ok(), schema, said)
}

#[test]
fn loader_and_schema_agree() {
    let schema = builder().app_config();
    assert!(jsonschema::meta::is_valid(&schema));
    for yaml in [
        "",
        "shop: {}",
        "shop: {name: a, port: 1, ratio: 1, open: false, grace: 30m, limit: 64KiB, mode: slow, tags: [a], labels: {a: b}}",
        "shop: {tls: {cert: a, key_file: b}, upstreams: [{host: h, port: 1}], password: '${secret:file:/x#y}', token: t}",
        "shop: {levels: {a: in-between}, offset: -128, workers: 1, tls: null}",
        "telemetry: {tree: {children: [{children: []}, {shade: {type: round, radius: 1}}]}}",
        "some-component: {header-timeout: 5}",
    ] {
        let (loader, schema, said) = accepted(yaml, &schema);
        assert_eq!((loader, schema), (true, true), "{yaml}: {said}");
    }
    for yaml in [
        "shop: {prot: 1}",
        "shop: {port: 65536}",
        "shop: {port: '1'}",
        "shop: {offset: 128}",
        "shop: {workers: 0}",
        "shop: {name: 1}",
        "shop: {grace: 5}",
        "shop: {grace: 5x}",
        "shop: {limit: big}",
        "shop: {mode: quick}",
        "shop: {tags: a}",
        "shop: {tls: {crt: a}}",
        "shop: {upstreams: [{host: h}]}",
        "shop: {upstreams: [{host: h, port: 1, prot: 1}]}",
        "shop: {password: hunter2}",
        "telemetry: {tree: {children: [{chidren: []}]}}",
        "telemetry: {tree: {shade: {type: round}}}",
        "telemetry: {logs: {}}",
        "some-component: {header_timeout: 5}",
    ] {
        let (loader, schema, said) = accepted(yaml, &schema);
        assert_eq!((loader, schema), (false, false), "{yaml}: {said}");
    }
}

#[test]
fn every_value_says_when_it_changes() {
    let schema = builder().app_config();
    let mark = |pointer: &str| {
        schema
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer} in {schema:#}"))["x-reload"]
            .clone()
    };
    assert_eq!(mark("/properties/shop/properties/port"), "restart");
    assert_eq!(mark("/properties/shop/properties/grace"), "live");
    assert_eq!(mark("/properties/shop/properties/levels"), "live");
    assert_eq!(mark("/properties/shop/properties/mode"), "restart");
    assert_eq!(mark("/properties/shop"), Value::Null);
    assert_eq!(
        mark("/properties/shop/properties/tls/properties/cert"),
        "restart"
    );
    assert_eq!(
        mark("/properties/telemetry/properties/tree/properties/shade/oneOf/1/properties/radius"),
        "live"
    );
}

#[test]
fn without_kinds_only_sections_are_taken() {
    let schema = SchemaBuilder::new()
        .section("shop", "The shop.", schema_of::<Shop>())
        .app_config();
    assert!(!jsonschema::is_valid(&schema, &json!({"other": {}})));
    assert_eq!(schema["properties"]["shop"]["description"], "The shop.");
}

#[test]
fn the_schema_of_the_composition_knows_the_kinds() {
    let schema = builder().composition();
    assert!(jsonschema::meta::is_valid(&schema));
    for (entry, valid) in [
        (json!({"name": "a", "kind": "dashed"}), true),
        (
            json!({"name": "a", "kind": "dashed", "after": ["b"], "enabled": false}),
            true,
        ),
        (json!({"name": "a", "kind": "other"}), false),
        (json!({"name": "A", "kind": "dashed"}), false),
        (json!({"name": "a"}), false),
        (json!({"name": "a", "kind": "dashed", "afer": []}), false),
    ] {
        assert_eq!(
            jsonschema::is_valid(&schema, &json!({"components": [entry]})),
            valid,
            "{entry}"
        );
    }
}
