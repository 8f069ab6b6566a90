//! Which layer wins, and how a shell writes a value.
use super::*;
use crate::config::{merge::merge, node::Node, path::KeyPath};
use proptest::prelude::*;

#[test]
fn a_higher_layer_wins_and_its_origin_is_kept() {
    let dir = files::Dir::new();
    dir.write(
        "app_config.yaml",
        "shop: {port: 2, name: file, offset: 2, ratio: 2}",
    );
    dir.write(
        "app_config.production.yaml",
        "shop: {port: 3, offset: 3, ratio: 3}",
    );
    let sources = app("shop: {port: 1, name: embedded, offset: 1, open: false}")
        .dir(dir.path())
        .profile("production")
        .env(vars([
            ("DETECTVIZ__SHOP__PORT", "4"),
            ("DETECTVIZ__SHOP__OFFSET", "4"),
        ]))
        .set("shop.port=5");
    let (read, effective) = shop(&sources).unwrap();
    assert_eq!(
        (
            read.port,
            read.offset,
            read.ratio,
            read.name.as_str(),
            read.open
        ),
        (5, 4, 3.0, "file", false)
    );
    let origin = |path: &str| effective.find(path).unwrap().place.to_string();
    assert_eq!(origin("shop.port"), "--set shop.port");
    assert_eq!(origin("shop.offset"), "DETECTVIZ__SHOP__OFFSET");
    assert!(origin("shop.ratio").ends_with("app_config.production.yaml:1"));
    assert!(origin("shop.name").ends_with("app_config.yaml:1"));
    assert_eq!(origin("shop.open"), "embedded app.yaml:1");
    assert_eq!(origin("shop.grace"), "default");
}

#[test]
fn what_variables_of_others_stand_for_lies_between_files_and_our_own_variables() {
    let dir = files::Dir::new();
    dir.write("app_config.yaml", "shop: {port: 1, offset: 1, ratio: 1}");
    let sources = Sources::new()
        .dir(dir.path())
        .env(vars([
            ("FOREIGN_PORT", "9"),
            ("DETECTVIZ__SHOP__PORT", "4"),
        ]))
        .stands_for("FOREIGN_PORT", "shop.port", 2.into())
        .stands_for("FOREIGN_OFFSET", "shop.offset", 2.into())
        .stands_for("FOREIGN_RATIO", "shop.ratio", 0.5.into())
        .stands_for("FOREIGN_NAME", "shop.name", "5".into())
        .set("shop.ratio=3");
    assert_eq!(sources.variable("FOREIGN_PORT"), Some("9"));
    assert_eq!(sources.variable("FOREIGN"), None);
    let (read, effective) = shop(&sources).unwrap();
    assert_eq!(
        (read.port, read.offset, read.ratio, read.name.as_str()),
        (4, 2, 3.0, "5")
    );
    let origin = |path: &str| effective.find(path).unwrap().place.to_string();
    assert_eq!(origin("shop.port"), "DETECTVIZ__SHOP__PORT");
    assert_eq!(origin("shop.offset"), "FOREIGN_OFFSET");
    assert_eq!(origin("shop.ratio"), "--set shop.ratio");
}

#[test]
fn sources_lie_over_each_other() {
    let lower = app("shop: {port: 1, name: lower}")
        .set("shop.offset=1")
        .profile("staging");
    let upper = app("shop: {port: 2}").set("shop.offset=2").profile("dr");
    let both = lower.clone().over(&upper);
    assert_eq!(both.profile_name(), Some("dr"));
    assert_eq!(lower.over(&Sources::new()).profile_name(), Some("staging"));
    let (read, _) = shop(&both).unwrap();
    assert_eq!(
        (read.port, read.offset, read.name.as_str()),
        (2, 2, "lower")
    );
}

#[test]
fn maps_merge_and_the_rest_replaces() {
    for (lower, upper, merged) in [
        ("a: 1", "b: 2", r#"{"a":1,"b":2}"#),
        ("a: {b: 1, c: 2}", "a: {c: 3}", r#"{"a":{"b":1,"c":3}}"#),
        ("a: [1, 2]", "a: [3]", r#"{"a":[3]}"#),
        ("a: {b: 1}", "a: 2", r#"{"a":2}"#),
        ("a: 2", "a: {b: 1}", r#"{"a":{"b":1}}"#),
        ("a: {b: 1}", "a:", r#"{"a":{"b":1}}"#),
        ("a: {b: 1}", "a: null", r#"{"a":null}"#),
        ("a: 1", "a:", r#"{"a":null}"#),
    ] {
        let mut problems = Vec::new();
        let mut tree = parsed(lower);
        merge(&mut tree, parsed(upper), &mut problems);
        assert_eq!(tree.to_json().to_string(), merged, "{lower} < {upper}");
        assert!(problems.is_empty());
    }
}

#[test]
fn a_variable_finds_its_key_whatever_the_case_and_the_dashes() {
    let sources = Sources::new()
        .embedded_app("app.yaml", "orders-db: {labels: {some-Key: a}}\n")
        .embedded_composition(
            "c.yaml",
            "components:\n - {name: pay-ment, kind: x}\n - {name: orders-db, kind: x}\n",
        )
        .env(vars([
            ("DETECTVIZ__ORDERS_DB__LABELS__SOME_KEY", "b"),
            ("DETECTVIZ__PAY_MENT__PORT", "7"),
            ("DETECTVIZ__LATE_COMER__PORT", "8"),
            ("DETECTVIZ__ORDERS_DB__LABELS__New_Key", "c"),
            ("DETECTVIZ__DASHED__HEADER_TIMEOUT", "9"),
        ]));
    let mut loaded = load(&sources).unwrap();
    let db: Shop = loaded.section("orders-db");
    assert_eq!(
        db.labels,
        BTreeMap::from([
            ("some-Key".into(), "b".into()),
            ("new_key".into(), "c".into())
        ])
    );
    assert_eq!(loaded.section::<Shop>("pay-ment").port, 7);
    assert_eq!(loaded.section::<Shop>("late-comer").port, 8);
    assert_eq!(loaded.section::<Dashed>("dashed").header_timeout, 9);
    let effective = loaded.finish().unwrap();
    assert_eq!(
        effective.find("late-comer.port").unwrap().place.to_string(),
        "DETECTVIZ__LATE_COMER__PORT"
    );
    assert_eq!(
        effective
            .find("dashed.header-timeout")
            .unwrap()
            .place
            .to_string(),
        "DETECTVIZ__DASHED__HEADER_TIMEOUT"
    );
}

#[test]
fn a_shell_writes_values_without_yaml_in_the_way() {
    let text = |value: &str| {
        let sources = Sources::new().env(vars([("DETECTVIZ__SHOP__NAME", value)]));
        shop(&sources).map(|(shop, _)| shop.name)
    };
    for (value, name) in [
        ("plain", "plain"),
        ("12", "12"),
        ("true", "true"),
        ("1.10", "1.10"),
        ("hello: world # yes", "hello: world # yes"),
        ("#5", "#5"),
        ("*x", "*x"),
        ("'[a]'", "[a]"),
        ("\"a\\tb\"", "a\tb"),
        ("a=b", "a=b"),
    ] {
        assert_eq!(text(value).unwrap(), name, "{value}");
        assert_eq!(
            shop(&Sources::new().set(&format!("shop.name={value}")))
                .unwrap()
                .0
                .name,
            name
        );
    }
    let (read, _) = shop(
        &Sources::new()
            .set("shop.tags=[a, \"b\"]")
            .set("shop.tls={cert: c}")
            .set("shop.tls.key_file=k")
            .set("shop.labels.\"a.b=c\"=d")
            .set("shop.grace=0")
            .set("shop.open= false ")
            .set("shop.mode=slow"),
    )
    .unwrap();
    assert_eq!(read.tags, ["a", "b"]);
    assert_eq!(
        read.tls,
        Some(Tls {
            cert: "c".into(),
            key_file: "k".into()
        })
    );
    assert_eq!(read.labels["a.b=c"], "d");
    assert_eq!(
        (read.grace, read.open, read.mode),
        (Duration::ZERO, false, Mode::Slow)
    );
}

#[test]
fn what_a_shell_wrote_wrongly_is_told() {
    for (set, problems) in [
        (
            "port",
            "--set port: the `=` is missing; write `--set path=value`, for example `--set http.port=8081`",
        ),
        (
            "=1",
            "--set : the path cannot be read: a key is empty; write `--set path=value`, for example `--set http.port=8081`",
        ),
        (
            "a..b=hunter2",
            "--set a..b: the path cannot be read: a key is empty; write `--set path=value`, for example `--set http.port=8081`",
        ),
        (
            "shop.tags[0]=a",
            "--set shop.tags[0]: a list cannot be changed in part; replace it as a whole, for example with `[one, two]`",
        ),
        (
            "shop.tags.x=a",
            "--set shop.tags.x: shop.tags: a list cannot be changed in part; replace it as a whole, for example with `[one, two]`",
        ),
        (
            "shop.name=[a",
            "--set shop.name: shop.name: the value is not YAML: the file is not YAML: while parsing a flow sequence, expected ',' or ']'; put a text that starts with a bracket or a quote in single quotes of its own",
        ),
        (
            "shop.prot=1",
            "--set shop.prot: shop.prot: the key `prot` is unknown; did you mean `port`?",
        ),
    ] {
        assert_eq!(
            told(shop(&app("shop: {tags: [a]}").set(set))),
            problems,
            "{set}"
        );
    }
    for (env, problems) in [
        (
            vars([("DETECTVIZ__", "1")]),
            "DETECTVIZ__: a key in the name is empty; write DETECTVIZ__ and the keys of the path with `__` between them",
        ),
        (
            vars([("DETECTVIZ__A____B", "1")]),
            "DETECTVIZ__A____B: a key in the name is empty; write DETECTVIZ__ and the keys of the path with `__` between them",
        ),
        (
            vars([("DETECTVIZ__SHOP__TAGS__0", "1")]),
            "DETECTVIZ__SHOP__TAGS__0: shop.tags: a list cannot be changed in part; replace it as a whole, for example with `[one, two]`",
        ),
        (
            vars([
                ("DETECTVIZ__SHOP__PORT", "1"),
                ("DETECTVIZ__shop__port", "2"),
            ]),
            "DETECTVIZ__shop__port: shop.port: it sets what `DETECTVIZ__SHOP__PORT` sets too; keep one of the two",
        ),
        (
            vars([("DETECTVIZ__SHOP", "{}"), ("DETECTVIZ__SHOP__PORT", "2")]),
            "DETECTVIZ__SHOP__PORT: shop.port: it sets what `DETECTVIZ__SHOP` sets too; keep one of the two",
        ),
        (
            vars([("DETECTVIZ__SHOP__PORT", "tcp://10.0.0.1:80")]),
            "DETECTVIZ__SHOP__PORT: shop.port: the text `tcp://10.0.0.1:80` stands where a whole number from 0 to 65535 is expected; write a whole number from 0 to 65535",
        ),
    ] {
        assert_eq!(told(shop(&app("shop: {tags: [a]}").env(env))), problems);
    }
}

#[test]
fn the_variables_of_kubernetes_are_passed_over() {
    let mut all = vars([
        ("PATH", "/bin"),
        ("DETECTVIZ_LOG", "x"),
        ("detectviz__shop__port", "1"),
        ("DETECTVIZ__SHOP__NAME", "kept"),
    ]);
    for service in [
        "DETECTVIZ",
        "DETECTVIZ__X",
        "DETECTVIZ__SHOP",
        "DETECTVIZ__SHOP__TLS",
        "DETECTVIZ__A__B_C",
    ] {
        for (name, value) in [
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_PORT", "80"),
            ("SERVICE_PORT_HTTP", "80"),
            ("PORT", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP_PROTO", "tcp"),
            ("PORT_80_TCP_PORT", "80"),
            ("PORT_80_TCP_ADDR", "10.0.0.1"),
            ("PORT_53_UDP", "udp://10.0.0.1:53"),
        ] {
            all.push((format!("{service}_{name}"), value.to_owned()));
        }
    }
    let (read, _) = shop(&Sources::new().env(all)).unwrap();
    assert_eq!(
        read,
        Shop {
            name: "kept".to_owned(),
            ..Shop::default()
        }
    );
}

fn parsed(yaml: &str) -> Node {
    let origin = Origin::Embedded("x".into());
    let mut problems = Vec::new();
    yaml::parse(&origin, yaml.as_bytes(), &mut problems).expect(yaml)
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        "[ -~é\u{1f600}]{0,12}".prop_map(Into::into),
    ];
    let node = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a-c]{1,2}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    prop::collection::btree_map("[a-c]{1,2}", node, 0..4)
        .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into())
}

/// What merging means, said once more over JSON.
fn laid_over(lower: serde_json::Value, upper: serde_json::Value) -> serde_json::Value {
    match (lower, upper) {
        (serde_json::Value::Object(mut lower), serde_json::Value::Object(upper)) => {
            for (key, value) in upper {
                let below = lower.remove(&key);
                let merged = below.map_or(value.clone(), |below| laid_over(below, value));
                lower.insert(key, merged);
            }
            lower.into()
        }
        (_, upper) => upper,
    }
}

proptest! {
    #[test]
    fn any_tree_survives_reading_and_merging(lower in tree(), upper in tree()) {
        // JSON is YAML.
        let (a, b) = (parsed(&lower.to_string()), parsed(&upper.to_string()));
        prop_assert_eq!(a.to_json(), lower.clone());
        let mut merged = a.clone();
        let mut problems = Vec::new();
        merge(&mut merged, b.clone(), &mut problems);
        prop_assert_eq!(merged.to_json(), laid_over(lower, upper));
        prop_assert!(problems.is_empty());
        let mut twice = a.clone();
        merge(&mut twice, a.clone(), &mut problems);
        prop_assert_eq!(twice, a);
    }

    #[test]
    fn a_path_of_any_keys_is_read_back(keys in prop::collection::vec("[a-zA-Z0-9_.: \\[\\]-]{1,8}", 1..5)) {
        let path: KeyPath = keys.iter().map(|key| path::Step::Key(key.clone())).collect();
        prop_assert_eq!(KeyPath::parse(&path.to_string()), Ok(path));
    }
}
