//! What a section refuses, and in which words.
use super::*;

#[test]
fn what_does_not_fit_is_told_with_line_path_and_remedy() {
    for (yaml, problems) in [
        (
            "shop:\n  port: 70000",
            "app:2: shop.port: the number `70000` is out of range; write a whole number from 0 to 65535",
        ),
        (
            "shop: {port: -1}",
            "app:1: shop.port: the number `-1` is out of range; write a whole number from 0 to 65535",
        ),
        (
            "shop: {port: abc}",
            "app:1: shop.port: the text `abc` stands where a whole number from 0 to 65535 is expected; write a whole number from 0 to 65535",
        ),
        (
            "shop: {port: '80'}",
            "app:1: shop.port: the text `80` stands where a whole number from 0 to 65535 is expected; write the number without quotes",
        ),
        (
            "shop: {port: 1.5}",
            "app:1: shop.port: the number `1.5` stands where a whole number from 0 to 65535 is expected; write a whole number from 0 to 65535",
        ),
        (
            "shop: {port: }",
            "app:1: shop.port: nothing stands where a whole number from 0 to 65535 is expected; write a whole number from 0 to 65535",
        ),
        (
            "shop: {workers: 0}",
            "app:1: shop.workers: the number `0` stands where a whole number from 1 to 65535 is expected; write a whole number from 1 to 65535",
        ),
        (
            "shop: {offset: 200}",
            "app:1: shop.offset: the number `200` is out of range; write a whole number from -128 to 127",
        ),
        (
            "shop: {ratio: high}",
            "app:1: shop.ratio: the text `high` stands where a number is expected; write a number without quotes",
        ),
        (
            "shop: {open: yes}",
            "app:1: shop.open: the text `yes` stands where `true` or `false` is expected; write `true` or `false`, without quotes",
        ),
        (
            "shop: {name: 5}",
            "app:1: shop.name: the number `5` stands where text is expected; put it in quotes",
        ),
        (
            "shop: {name: [a]}",
            "app:1: shop.name: a list stands where text is expected; write text",
        ),
        (
            "shop: {grace: 5}",
            "app:1: shop.grace: the number `5`: not a duration; write a number with its unit, such as `250ms`, `5s` or `1h30m`",
        ),
        (
            "shop: {limit: 5x}",
            "app:1: shop.limit: the text `5x`: not a size; write a number with its unit, such as `512B`, `64KiB` or `10MB`",
        ),
        (
            "shop: {mode: quick}",
            "app:1: shop.mode: `quick` is not known here; write one of `fast`, `slow`, `in-between`",
        ),
        (
            "shop: {mode: 5}",
            "app:1: shop.mode: the number `5` stands where one of `fast`, `slow`, `in-between` is expected; write one of `fast`, `slow`, `in-between`",
        ),
        (
            "shop: {mode: {fast: 1}}",
            "app:1: shop.mode.fast: the number `1` stands where nothing is expected; remove the value",
        ),
        (
            "shop: {tags: a}",
            "app:1: shop.tags: the text `a` stands where a list is expected; write `[one, two]`, or one `- item` a line",
        ),
        (
            "shop:\n  tags:\n    - a\n    - {b: c}",
            "app:4: shop.tags[1]: a map stands where text is expected; write text",
        ),
        (
            "shop: {labels: [a]}",
            "app:1: shop.labels: a list stands where a map is expected; write `key: value` lines below it",
        ),
        (
            "shop: 5",
            "app:1: shop: the number `5` stands where a map is expected; write `key: value` lines below it",
        ),
        (
            "shop:\n  prot: 1",
            "app:2: shop.prot: the key `prot` is unknown; did you mean `port`?",
        ),
        (
            "shop:\n  tls:\n    keyfile: x",
            "app:3: shop.tls.keyfile: the key `keyfile` is unknown; did you mean `key_file`?",
        ),
        (
            "shop:\n  tls:\n    zzz: x",
            "app:3: shop.tls.zzz: the key `zzz` is unknown; known here: `cert`, `key_file`",
        ),
        (
            "shop: {upstreams: [{host: a}]}",
            "app:1: shop.upstreams[0]: the key `port` is missing; add `port: …` here",
        ),
        // A type that does not refuse unknown keys itself is strict all the same.
        (
            "shop: {upstreams: [{host: a, port: 1, prot: 2}]}",
            "app:1: shop.upstreams[0].prot: the key `prot` is unknown; did you mean `port`?",
        ),
        (
            "shop:\n  grace: 2h",
            "app:2: shop.grace: it is longer than an hour; write at most `1h`",
        ),
        (
            "shop:\n  tls:\n    cert: x",
            "app:2: shop.tls.key_file: a certificate and its key come together; set both, or none",
        ),
        (
            "shop: {upstreams: [{host: a, port: 1},\n {host: '', port: 1}]}",
            "app:2: shop.upstreams[1].host: it is empty; write a host",
        ),
        (
            "shpo: {}",
            "app:1: shpo: there is no section `shpo`; did you mean `shop`?",
        ),
        (
            "x: {}",
            "app:1: x: there is no section `x`; known here: `shop`",
        ),
        (
            "name: ${env:HOME}",
            "app:1: name: there is no section `name`; known here: `shop`",
        ),
    ] {
        assert_eq!(told(shop(&app(yaml))), problems, "{yaml}");
    }
}

#[test]
fn references_to_secrets_stand_only_where_a_secret_is_taken() {
    for (yaml, problems) in [
        (
            "shop: {name: '${secret:file:/x}'}",
            "app:1: shop.name: a reference to a secret stands where only plain text is taken; write the text itself, or use the key that takes the secret",
        ),
        (
            "shop: {name: 'a ${env:HOME} b'}",
            "app:1: shop.name: `${…}` is not replaced here; write the value itself, or set it by the variable DETECTVIZ__…; only secrets are written as `${secret:<scheme>:<path>#<field>}`",
        ),
        (
            "shop: {tags: [a, '${X}']}",
            "app:1: shop.tags[1]: `${…}` is not replaced here; write the value itself, or set it by the variable DETECTVIZ__…; only secrets are written as `${secret:<scheme>:<path>#<field>}`",
        ),
        (
            "shop: {labels: {a: '${X}'}}",
            "app:1: shop.labels.a: `${…}` is not replaced here; write the value itself, or set it by the variable DETECTVIZ__…; only secrets are written as `${secret:<scheme>:<path>#<field>}`",
        ),
        (
            "shop: {password: hunter2}",
            "app:1: shop.password: a text: not a reference to a secret: it does not start with `${secret:`; write `${secret:<scheme>:<path>#<field>}`, for example `${secret:file:/run/secrets/db#password}`",
        ),
        (
            "shop: {password: 12345}",
            "app:1: shop.password: a number stands where text is expected; put it in quotes",
        ),
        (
            "shop: {password: '${env:DB}'}",
            "app:1: shop.password: a text: not a reference to a secret: it does not start with `${secret:`; write `${secret:<scheme>:<path>#<field>}`, for example `${secret:file:/run/secrets/db#password}`",
        ),
        (
            "shop: {password: '${secret:file}'}",
            "app:1: shop.password: a text: not a reference to a secret: the scheme is missing; write `${secret:<scheme>:<path>#<field>}`, for example `${secret:file:/run/secrets/db#password}`",
        ),
    ] {
        assert_eq!(told(shop(&app(yaml))), problems, "{yaml}");
    }
    let (read, _) = shop(&app("shop: {password: '${secret:file:/run/db#password}'}")).unwrap();
    assert_eq!(read.password.unwrap().path(), "/run/db");
}

#[test]
fn a_scheme_that_nobody_provides_is_refused() {
    let mut loaded = load(&app("shop: {password: '${secret:vualt:kv/db}'}")).unwrap();
    loaded.schemes(&["env", "file", "vault"]);
    let _: Shop = loaded.section("shop");
    assert_eq!(
        told(loaded.finish()),
        "app:1: shop.password: no secrets provider for the scheme `vualt` may be used here; did you mean `${secret:vault:…}`?"
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let yaml = "shop:\n  port: x\n  prot: 1\n  grace: 5\n  tls:\n    cert: a\n    cret: b\n  upstreams:\n    - host: a\n      port: b\n    - host: ''\n      port: 1\nother: 1\n";
    assert_eq!(
        told(shop(&app(yaml)))
            .lines()
            .map(|line| line.split(": ").nth(1).unwrap())
            .collect::<Vec<_>>(),
        [
            "shop.port",
            "shop.prot",
            "shop.grace",
            "shop.tls.key_file",
            "shop.tls.cret",
            "shop.upstreams[0].port",
            "shop.upstreams[1].host",
            "other"
        ]
    );
}

#[test]
fn a_section_with_problems_is_the_default() {
    let mut loaded = load(&app("shop: {name: other, port: x}")).unwrap();
    assert_eq!(loaded.section::<Shop>("shop"), Shop::default());
    assert_eq!(loaded.problems().len(), 1);
}

#[test]
fn a_section_that_says_nothing_is_the_default() {
    for yaml in [
        "",
        "# nothing\n",
        "---\n",
        "shop:",
        "shop: {}",
        "shop: ~",
        "\u{feff}shop: {}\r\n",
    ] {
        let (read, effective) =
            shop(&app(yaml)).unwrap_or_else(|problems| panic!("{yaml}: {problems}"));
        assert_eq!(read, Shop::default(), "{yaml}");
        assert!(
            effective
                .iter()
                .all(|value| *value.place.origin() == Origin::Default)
        );
    }
}

#[test]
fn a_section_of_many_parts_is_read() {
    let yaml = "
shop:
  name: \"5\"
  port: 0x50
  ratio: 1
  grace: 1m30s
  limit: 10MB
  mode: in-between
  tags: [a, 'b c', \"d\\n\"]
  labels: {team: x}
  tls: {cert: c, key_file: k}
  upstreams:
    - {host: h, port: 1}
  levels: {hyper::proto: slow}
";
    let (read, _) = shop(&app(yaml)).unwrap();
    assert_eq!((read.name.as_str(), read.port, read.ratio), ("5", 80, 1.0));
    assert_eq!(
        (read.grace, read.limit, read.mode),
        (
            Duration::from_secs(90),
            ByteSize(10_000_000),
            Mode::InBetween
        )
    );
    assert_eq!(read.tags, ["a", "b c", "d\n"]);
    assert_eq!(
        read.tls,
        Some(Tls {
            cert: "c".into(),
            key_file: "k".into()
        })
    );
    assert_eq!(
        read.upstreams,
        [Upstream {
            host: "h".into(),
            port: 1
        }]
    );
    assert_eq!(read.levels["hyper::proto"], Mode::Slow);
}

#[test]
fn a_section_made_by_code_is_checked_too() {
    let shop = Shop {
        grace: Duration::from_secs(7200),
        ..Shop::default()
    };
    assert_eq!(
        told(check(&shop)),
        "default: grace: it is longer than an hour; write at most `1h`"
    );
    assert!(check(&Shop::default()).is_ok());
}

#[test]
fn nested_sections_have_paths_of_their_own() {
    let mut loaded = load(&app(
        "telemetry:\n  logs: {port: 1}\n  trace: {}\nhttp: 5\n",
    ))
    .unwrap();
    assert_eq!(loaded.section::<Shop>("telemetry.logs").port, 1);
    let _: Shop = loaded.section("http.server");
    assert_eq!(
        told(loaded.finish()),
        "app:3: telemetry.trace: there is no section `trace`; known here: `logs`\n\
         app:4: http: a number stands where a map of sections is expected; write the sections as `name:` lines below it"
    );
}

#[test]
fn a_component_called_like_a_section_is_refused() {
    let sources =
        Sources::new().embedded_composition("app.yaml", "components:\n - {name: shop, kind: x}\n");
    let mut loaded = load(&sources).unwrap();
    let _: Shop = loaded.section("shop");
    let _: Shop = loaded.section("shop");
    assert_eq!(
        told(loaded.finish()),
        "app:2: shop: `shop` is a name of the runtime's own: the section `shop` exists already; give the component another name"
    );
}

#[test]
fn what_is_gone_from_a_list_does_not_shift_the_rest() {
    let yaml = "shop:\n  upstreams:\n    - {host: a}\n    - {host: '', port: 1}\n    - {port: x}\n    - {host: '', port: 1}\n";
    let told = told(shop(&app(yaml)));
    let short: Vec<_> = told
        .lines()
        .map(|line| line.split(';').next().unwrap())
        .collect();
    assert_eq!(
        short,
        [
            "app:3: shop.upstreams[0]: the key `port` is missing",
            "app:4: shop.upstreams[1].host: it is empty",
            "app:5: shop.upstreams[2]: the key `host` is missing",
            "app:5: shop.upstreams[2].port: the text `x` stands where a whole number from 0 to 65535 is expected",
            "app:6: shop.upstreams[3].host: it is empty",
        ]
    );
}

/// Types that serde reads by way of a buffer are as strict.
#[test]
fn tagged_flattened_and_untagged_types_are_read() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Odd {
        store: Store,
        pair: (u8, u8),
        either: Either,
        external: Option<External>,
        #[serde(flatten)]
        rest: Rest,
        numbers: BTreeMap<u16, bool>,
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
    enum Store {
        #[default]
        Memory,
        File {
            path: String,
            key: Option<crate::secret::SecretRef>,
        },
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Either {
        Number(u16),
        Text(String),
    }
    impl Default for Either {
        fn default() -> Self {
            Self::Number(0)
        }
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum External {
        Unit,
        New(u8),
        Struct { a: u8 },
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Rest {
        flat: u8,
    }
    impl Section for Odd {}
    let read = |yaml: &str| {
        let mut loaded = load(&app(yaml)).unwrap();
        let odd: Odd = loaded.section("odd");
        loaded.finish().map(|_| odd)
    };
    let yaml = "odd: {store: {type: file, path: p, key: '${secret:env:X}'}, pair: [1, 2], either: a, external: {struct: {a: 1}}, flat: 3, numbers: {8080: true}}";
    let odd = read(yaml).unwrap();
    assert!(matches!(odd.store, Store::File { key: Some(_), .. }));
    assert_eq!(
        (odd.pair, odd.either, odd.rest.flat),
        ((1, 2), Either::Text("a".into()), 3)
    );
    assert_eq!(odd.numbers, BTreeMap::from([(8080, true)]));
    assert_eq!(odd.external, Some(External::Struct { a: 1 }));
    assert_eq!(
        read("odd: {external: unit}").unwrap().external,
        Some(External::Unit)
    );
    for (yaml, start) in [
        (
            "odd: {store: {type: fil}}",
            "app:1: odd.store.type: `fil` is not known here; write one of `memory`, `file`",
        ),
        (
            "odd: {store: {type: file, path: '${X}'}}",
            "app:1: odd.store.path: `${…}` is not replaced here",
        ),
        (
            "odd: {store: {type: file, path: p, pth: p}}",
            "app:1: odd.store",
        ),
        (
            "odd: {pair: [1]}",
            "app:1: odd.pair: a list: it has 1 entries, not a tuple of size 2",
        ),
        (
            "odd: {pair: [1, x]}",
            "app:1: odd.pair[1]: the text `x` stands where a whole number",
        ),
        ("odd: {either: [1]}", "app:1: odd.either: a list: "),
        (
            "odd: {external: {new: x}}",
            "app:1: odd.external.new: the text `x` stands where a whole number",
        ),
        (
            "odd: {external: {struct: {b: 1}}}",
            "app:1: odd.external.struct",
        ),
        (
            "odd: {external: {one: 1}}",
            "app:1: odd.external: `one` is not known here",
        ),
        ("odd: {numbers: {a: true}}", "app:1: odd.numbers.a: "),
    ] {
        let told = told(read(yaml));
        assert!(told.starts_with(start), "{yaml}: {told}");
    }
}
