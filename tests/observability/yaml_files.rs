//! Every YAML of the repository is read by the program that it is meant for, and fits its schema.
use crate::schemas::{everything, is_whole};
use detectviz_tests::{bin, process::output, repository, yaml};
use serde_json::Value;
use std::collections::BTreeMap;

/// The schemas that a program prints, by file name.
fn schema_of(program: &str) -> Value {
    let printed = output(&bin(program), &["--config-schema"]);
    serde_json::from_slice(&printed.stdout).expect("--config-schema prints JSON")
}

#[track_caller]
fn fits(schema: &Value, what: &str, text: &str) {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let value = yaml::to_json(text);
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|err| format!("{}: {err}", err.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {}", errors.join("\n"));
}

/// The text between `start` and `end`, each time.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let parts = text.split(start).skip(1);
    parts
        .filter_map(|part| part.split_once(end).map(|(found, _)| found))
        .collect()
}

#[test]
fn every_yaml_is_read_by_its_program_and_fits_its_schema() {
    let mut by_program: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in repository::files(&[".yaml", ".yml"]) {
        match path.split('/').collect::<Vec<_>>()[..] {
            ["examples", program, "config", _] => {
                by_program.entry(program.to_owned()).or_default().push(path);
            }
            _ => panic!("{path}: say here which program reads it"),
        }
    }
    assert_eq!(by_program.len(), 3, "{by_program:?}");
    for (program, paths) in by_program {
        let schema = schema_of(&program);
        for path in &paths {
            let kind = path.rsplit('/').next().expect("a file name");
            fits(&schema[kind], path, &repository::text(path));
        }
        let dir = repository::root()
            .join("examples")
            .join(&program)
            .join("config");
        let dir = dir.to_str().expect("a path of text");
        let checked = output(&bin(&program), &["--config", dir, "--check-config"]);
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{program}: {said}");
    }
}

#[test]
fn every_yaml_in_the_documents_fits_the_schemas() {
    if !is_whole() {
        println!("left out: it needs --all-features");
        return;
    }
    let schema = everything().schema();
    let mut seen = 0;
    for path in repository::files(&[".md"]) {
        let text = repository::text(&path);
        for snippet in between(&text, ".composition(\"", "\")") {
            fits(&schema["composition.yaml"], &path, snippet);
            let builder = everything().composition(snippet);
            if let Err(problems) = builder.plan(&builder.sources()) {
                panic!("{path}: {problems}");
            }
            seen += 1;
        }
        for snippet in between(&text, "```yaml\n", "```") {
            let composition = snippet.starts_with("components:");
            let kind = if composition {
                "composition.yaml"
            } else {
                "app_config.yaml"
            };
            fits(&schema[kind], &path, snippet);
            seen += 1;
        }
    }
    assert!(seen > 0, "the README shows a composition");
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = everything().schema();
    for (kind, text) in [
        ("app_config.yaml", "http: {prot: 1}"),
        ("app_config.yaml", "telemetry: {logs: {level: 5}}"),
        ("composition.yaml", "components: [{name: x, kind: nothing}]"),
    ] {
        let validator = jsonschema::validator_for(&schema[kind]).expect("a schema");
        assert!(!validator.is_valid(&yaml::to_json(text)), "{text}");
    }
}
