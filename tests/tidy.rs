//! The house rules of the design, as tests: what a reviewer would otherwise have to remember.
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const LIBRARIES: [&str; 4] = [
    "detectviz-core",
    "detectviz-http",
    "detectviz-discovery",
    "detectviz-secrets",
];

/// No file is longer: what does not fit has two jobs.
const LONGEST: usize = 500;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests/ has a parent").to_owned()
}

/// All Rust files below `dir`, in order.
fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut rest = vec![dir.to_owned()];
    while let Some(dir) = rest.pop() {
        for entry in fs::read_dir(&dir).expect("the directory is readable") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
                rest.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[expect(clippy::disallowed_methods, reason = "the sources are what is tested")]
fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the file is readable")
}

fn short(path: &Path) -> String {
    let root = root();
    path.strip_prefix(&root)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Fails with every offender at once.
fn expect_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

/// The text without line comments, and cut at the tests that end it.
fn code_of(text: &str) -> String {
    let code = text
        .split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    path.components().any(|c| {
        let name = c.as_os_str();
        name == "tests" || name == "tests.rs" || name == "contract.rs"
    })
}

/// The modules of a crate in the order in which its `lib.rs` lists them.
fn modules_of(library: &str) -> Vec<String> {
    let lib = read(&root().join(library).join("src/lib.rs"));
    let module = |line: &str| {
        let line = line.trim_start_matches("pub ").strip_prefix("mod ")?;
        line.strip_suffix(';').map(str::to_owned)
    };
    lib.lines().filter_map(module).collect()
}

/// The top-level modules that `crate::…` names in `code`, `crate::{a, b::c}` included.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && !c.is_whitespace() => {
                    found.insert(word(&list[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn a_library_depends_on_the_trunk_and_on_no_sibling() {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let mut offenders = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if !LIBRARIES.contains(&name) {
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            if LIBRARIES.contains(&on) && on != "detectviz-core" && on != name {
                offenders.push(format!("{name} depends on {on}"));
            }
        }
    }
    expect_none(
        &offenders,
        "leaves hang on the trunk and never touch each other",
    );
}

#[test]
fn a_module_uses_only_what_stands_before_it() {
    let mut offenders = Vec::new();
    for library in LIBRARIES {
        let order = modules_of(library);
        let place = |module: &str| order.iter().position(|m| m == module);
        let src = root().join(library).join("src");
        for (at, module) in order.iter().enumerate() {
            let folder = src.join(module);
            let mut files = if folder.is_dir() {
                rust_files(&folder)
            } else {
                Vec::new()
            };
            files.extend(Some(src.join(format!("{module}.rs"))).filter(|f| f.is_file()));
            for file in files.iter().filter(|f| !is_test(f)) {
                for used in crate_paths(&code_of(&read(file))) {
                    if place(&used).is_some_and(|used| used > at) {
                        offenders.push(format!("{} uses crate::{used}", short(file)));
                    }
                }
            }
        }
    }
    expect_none(
        &offenders,
        "nobody looks down the list of modules in lib.rs",
    );
}

#[test]
fn every_file_opens_with_what_it_is_for_and_is_short() {
    let mut offenders = Vec::new();
    for dir in LIBRARIES
        .into_iter()
        .chain(["examples", "benches", "tests"])
    {
        for file in rust_files(&root().join(dir)) {
            let text = read(&file);
            if !text.starts_with("//! ") && file.file_name().is_none_or(|n| n != "tests.rs") {
                offenders.push(format!("{}: no opening `//!` sentence", short(&file)));
            }
            let lines = text.lines().count();
            if lines > LONGEST {
                offenders.push(format!("{}: {lines} lines", short(&file)));
            }
        }
    }
    expect_none(
        &offenders,
        "a file says what it is for, in at most 500 lines",
    );
}

#[test]
fn a_middleware_has_the_shape_of_its_neighbours() {
    let mut offenders = Vec::new();
    for library in LIBRARIES {
        for layer in rust_files(&root().join(library).join("src")) {
            if layer.file_name().is_none_or(|n| n != "layer.rs")
                || short(&layer).contains("telemetry")
            {
                continue;
            }
            let folder = layer.parent().expect("a file has a folder");
            for name in ["mod.rs", "service.rs", "future.rs"] {
                if !folder.join(name).is_file() {
                    offenders.push(format!("{}: no {name}", short(folder)));
                }
            }
            if !folder.join("tests.rs").is_file() && !folder.join("tests").is_dir() {
                offenders.push(format!("{}: no tests.rs", short(folder)));
            }
            let code = code_of(&read(&folder.join("mod.rs")));
            if code.contains("fn ") || code.contains("impl ") {
                offenders.push(format!("{}/mod.rs: holds logic", short(folder)));
            }
        }
    }
    expect_none(&offenders, "one folder, one middleware, one shape");
}

#[test]
fn thinking_is_pure() {
    let mut offenders = Vec::new();
    for library in LIBRARIES {
        for file in rust_files(&root().join(library).join("src")) {
            if file.file_name().is_none_or(|n| n != "state.rs") || is_test(&file) {
                continue;
            }
            // The type is tokio's so that a test can pause the clock; reading it is what is impure.
            let code = code_of(&read(&file)).replace("tokio::time::Instant;", "");
            for impure in [
                "async ",
                ".await",
                "Instant::now",
                "SystemTime::now",
                "tower_",
                "tokio::",
            ] {
                if code.contains(impure) {
                    offenders.push(format!("{}: {impure}", short(&file)));
                }
            }
        }
    }
    expect_none(&offenders, "a state.rs takes `now` and does no I/O");
}

#[test]
fn metric_names_stand_in_names_rs() {
    let mut offenders = Vec::new();
    for library in LIBRARIES {
        for file in rust_files(&root().join(library).join("src")) {
            if file.file_name().is_some_and(|n| n == "names.rs") || is_test(&file) {
                continue;
            }
            for line in code_of(&read(&file)).lines() {
                let name = [
                    "\"detectviz_",
                    "\"http.server.",
                    "\"http.client.",
                    "\"process_",
                ]
                .into_iter()
                .any(|start| line.contains(start));
                if name && !line.contains("detectviz_core::") && !line.contains("detectviz_http::")
                {
                    offenders.push(format!("{}: {}", short(&file), line.trim()));
                }
            }
        }
    }
    expect_none(
        &offenders,
        "all metric names of a crate stand in its names.rs",
    );
}

#[test]
fn nothing_unfinished_and_no_path_of_a_machine_is_committed() {
    let mut offenders = Vec::new();
    for dir in LIBRARIES.into_iter().chain(["examples", "benches"]) {
        for file in rust_files(&root().join(dir)) {
            for line in read(&file).lines() {
                let unfinished = [
                    "todo!(",
                    "unimplemented!(",
                    "TODO",
                    "FIXME",
                    "#[ignore",
                    "#[allow(",
                ];
                if unfinished.into_iter().any(|sign| line.contains(sign)) {
                    offenders.push(format!("{}: {}", short(&file), line.trim()));
                }
            }
        }
    }
    expect_none(&offenders, "what is committed is finished");
}
