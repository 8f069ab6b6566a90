//! YAML that is refused, and bytes that are nothing at all.
use super::*;
use proptest::prelude::*;

#[test]
fn what_json_cannot_say_is_refused() {
    for (yaml, problems) in [
        (
            "shop: &a {port: 1}",
            "app:1: shop: an anchor (`&name`) is not supported; remove it, and write the value out where it is used",
        ),
        (
            "shop: !!map {port: 1}",
            "app:1: shop: a tag (`!name`) is not supported; remove it; put text that looks like a number in quotes",
        ),
        (
            "shop: {name: !!str 5}",
            "app:1: shop.name: the number `5` stands where text is expected; put it in quotes\napp:1: shop.name: a tag (`!name`) is not supported; remove it; put text that looks like a number in quotes",
        ),
        (
            "shop: {port: 1}\n---\nshop: {port: 2}",
            "app:2: a second document starts; keep one document in a file: remove the `---` and what follows it",
        ),
        (
            "shop: {port: 1, port: 2}",
            "app:1: shop: the key `port` was written before, on line 1; keep one of the two",
        ),
        (
            "shop: {}\nshop: {port: 1}",
            "app:2: the key `shop` was written before, on line 1; keep one of the two",
        ),
        (
            "shop: {[a]: 1}",
            "app:1: shop: a list or a map stands as a key; write a plain name before the `:`",
        ),
        (
            "shop: {'': 1}",
            "app:1: shop: a key is empty; write a name before the `:`",
        ),
        (
            "shop: {<<: {port: 1}}",
            "app:1: shop: a merge key (`<<`) is not supported; write the values out",
        ),
    ] {
        assert_eq!(told(shop(&app(yaml))), problems, "{yaml}");
    }
    assert_eq!(
        told(shop(&app("shop:\n  name: &n x\n  token: *n\n"))),
        "app:2: shop.name: an anchor (`&name`) is not supported; remove it, and write the value out where it is used\n\
         app:3: shop.token: an alias (`*name`) is not supported; write the value out"
    );
}

#[test]
fn trees_that_are_too_deep_or_too_large_are_refused() {
    for deep in [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "- ".repeat(10_000),
        format!("a: {}", "[".repeat(65)),
    ] {
        let problems = told(shop(&app(&deep)));
        assert!(
            problems.contains("deep in each other") || problems.contains("not YAML"),
            "{problems}"
        );
        assert_eq!(problems.lines().count(), 1);
    }
    let wide = format!("shop: [{}]", "1,".repeat(60_000));
    assert_eq!(
        told(shop(&app(&wide))),
        "app:1: shop: the file holds more than 50000 values; keep data out of the configuration"
    );
}

#[test]
fn many_problems_are_bounded() {
    let twice: String = (0..1000).map(|_| "a: 1\n").collect();
    assert!(shop(&app(&twice)).unwrap_err().len() <= 60);
    let unknown: String = (0..1000).map(|n| format!("  k{n}: 1\n")).collect();
    assert!(shop(&app(&format!("shop:\n{unknown}"))).unwrap_err().len() <= 60);
}

#[test]
fn a_problem_stays_on_its_line_and_holds_no_secret() {
    for (yaml, secret) in [
        ("shop: {token: {a: hunter2}}", "hunter2"),
        ("shop: {password: hunter2}", "hunter2"),
        ("shop: {port: 'redis://u:hunter2@h'}", "hunter2"),
        ("shop: {port: \"a\\nb\\e[31m\\u2028\"}", "\n"),
        ("shop: {\"a\\nb\": 1}", "\n"),
        ("shop: {mode: \"a\\u202eb\"}", "\u{202e}"),
    ] {
        let problems = told(shop(&app(yaml)));
        assert!(!problems.contains(secret), "{problems}");
        assert!(!problems.contains(|c: char| c.is_control()), "{problems}");
    }
}

proptest! {
    #[test]
    fn the_loader_never_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut problems = Vec::new();
        let read = yaml::parse(&Origin::Default, &bytes, &mut problems);
        prop_assert!(read.is_some() || !problems.is_empty());
    }

    #[test]
    fn the_loader_never_panics_on_what_looks_like_yaml(
        text in "([a-c:,?!&*|>%@`'\"#\\-\\[\\]{} \n\t]|shop:|port|tags|: |- |\\$\\{secret:|<<|---|\\.\\.\\.|~|1|\u{85}|é){0,40}"
    ) {
        let _ = shop(&app(&text));
        let _ = shop(&app(&format!("shop:\n  port: {text}")));
        let _ = shop(&Sources::new().set(&text).set(&format!("shop.tags={text}")));
        let _ = shop(&Sources::new().env([(format!("DETECTVIZ__{text}"), text.clone())]));
        let _ = load(&Sources::new().embedded_composition("c", &text));
    }
}
