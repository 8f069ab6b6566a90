//! What is in force, and what a reload changes.
use super::*;

fn effective(yaml: &str) -> Effective {
    shop(&app(yaml)).unwrap().1
}

/// A live value in things that come and go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    of: BTreeMap<String, Limit>,
    #[schemars(extend("x-reload" = "live"))]
    live: BTreeMap<String, Limit>,
    extra: Option<Limit>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Limit {
    #[schemars(extend("x-reload" = "live"))]
    rate: u32,
}

impl Section for Limits {}

#[test]
fn the_report_shows_every_value_and_no_secret() {
    let yaml = "shop: {token: hunter2, password: '${secret:file:/run/db}', name: 'redis://u:hunter2@h', labels: {api_key: hunter2, a: b}, upstreams: [{host: h, port: 1}]}";
    let effective = effective(yaml);
    let value = |path: &str| effective.find(path).unwrap().value.to_string();
    assert_eq!(value("shop.token"), r#""[redacted]""#);
    assert_eq!(value("shop.password"), r#""${secret:file:/run/db}""#);
    assert_eq!(value("shop.name"), r#""redis://[redacted]@h""#);
    assert_eq!(value("shop.labels.api_key"), r#""[redacted]""#);
    assert_eq!(value("shop.labels.a"), r#""b""#);
    assert_eq!(value("shop.upstreams"), r#"[{"host":"h","port":1}]"#);
    assert_eq!(value("shop.grace"), r#""28s""#);
    assert_eq!(value("shop.tls"), "null");
    assert_eq!(value("shop.levels"), "{}");
    for shown in [
        effective.to_string(),
        effective.to_json().to_string(),
        format!("{effective:?}"),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn the_report_is_a_table() {
    let mut loaded = load(&app("dashed:\n  header-timeout: 5")).unwrap();
    let _: Dashed = loaded.section("dashed");
    let effective = loaded.finish().unwrap();
    assert_eq!(
        effective.to_string(),
        "path                   value  origin               reload\n\
         dashed.header-timeout  5      embedded app.yaml:2  restart\n"
    );
    assert_eq!(
        effective.to_json(),
        serde_json::json!([{"path": "dashed.header-timeout", "value": 5, "origin": "embedded app.yaml", "line": 2, "reload": "restart"}])
    );
}

#[test]
fn a_reload_tells_live_changes_from_those_that_wait() {
    let before = effective("shop: {port: 1, grace: 1s, token: a, levels: {x: slow}}");
    let after = effective("shop: {port: 2, grace: 2s, token: b, levels: {y: slow}}");
    let changes = before.changes(&after);
    assert_eq!(
        changes.live,
        ["shop.grace", "shop.levels.x", "shop.levels.y"]
    );
    assert_eq!(changes.pending, ["shop.port", "shop.token"]);
    assert!(before.changes(&before).is_empty());
    assert!(!changes.is_empty());
}

#[test]
fn what_comes_or_goes_waits_unless_the_map_it_is_in_is_live() {
    let with = "limits: {of: {api: {rate: 1}}, extra: {rate: 2}}";
    for (before, after, live, pending) in [
        (
            with,
            "limits: {of: {api: {rate: 3}}, extra: {rate: 4}}",
            "limits.extra.rate limits.of.api.rate",
            "",
        ),
        (
            "limits: {}",
            with,
            "",
            "limits.extra limits.extra.rate limits.of limits.of.api.rate",
        ),
        (
            with,
            "limits: {of: {api: {rate: 1}, web: {rate: 1}}, extra: {rate: 2}}",
            "",
            "limits.of.web.rate",
        ),
        (
            with,
            "limits: {of: {api: {rate: 1}}}",
            "",
            "limits.extra limits.extra.rate",
        ),
        (
            with,
            "limits: {live: {web: {rate: 1}}, of: {api: {rate: 1}}, extra: {rate: 2}}",
            "limits.live limits.live.web.rate",
            "",
        ),
    ] {
        let read = |yaml: &str| {
            let mut loaded = load(&app(yaml)).unwrap();
            let limits: Limits = loaded.section("limits");
            (limits, loaded.finish().unwrap())
        };
        let ((running, before), (newer, after)) = (read(before), read(after));
        let changes = before.changes(&after);
        assert_eq!(changes.live.join(" "), live, "{newer:?}");
        assert_eq!(changes.pending.join(" "), pending, "{newer:?}");
        // What is said to be live is what becomes of the section.
        let next = live_update(&running, &newer).unwrap();
        assert_eq!(next == newer, pending.is_empty());
        assert_eq!(next == running, live.is_empty());
    }
}

#[test]
fn only_live_keys_change_without_a_restart() {
    let read = |yaml: &str| shop(&app(yaml)).unwrap().0;
    let running =
        read("shop: {port: 1, grace: 1s, levels: {x: slow}, tls: {cert: a, key_file: b}}");
    let newer = read("shop: {port: 2, grace: 2s, levels: {y: slow}}");
    let expected =
        read("shop: {port: 1, grace: 2s, levels: {y: slow}, tls: {cert: a, key_file: b}}");
    assert_eq!(live_update(&running, &newer), Some(expected));
}
