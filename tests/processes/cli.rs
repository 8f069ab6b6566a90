//! The command line, and how a process says that it cannot run.
use detectviz_tests::{Launch, bin, process::output};
use std::{fs, net::TcpListener};

fn said(args: &[&str]) -> (Option<i32>, String, String) {
    let out = output(&bin("conformance"), args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn a_wrong_argument_is_64_and_named() {
    for (args, named) in [
        (&["--prot", "80"][..], "--prot"),
        (&["serve"], "serve"),
        (&["--port"], "--port"),
        (&["--set", "http.port"], "http.port"),
        (&["--profile", "prod"], "prod"),
        (&["--config", "/nowhere/at/all"], "/nowhere/at/all"),
    ] {
        let (code, stdout, stderr) = said(args);
        assert_eq!(code, Some(64), "{args:?}: {stderr}");
        assert!(stderr.contains(named), "{args:?}: {stderr}");
        assert_eq!(stdout, "", "{args:?}");
    }
}

#[test]
fn every_problem_of_a_configuration_is_told_at_once_and_nothing_is_bound() {
    let launch = Launch::conformance();
    // If it bound anything, it would find this port in use, and say that instead.
    let taken = TcpListener::bind(launch.http()).unwrap();
    let ended = launch
        .sets(&[
            "http.prot=1",
            "http.max_headers=0",
            "http.header_timeout=10",
            "admin.port=70000",
            "telemetry.logs.level=loud",
            "shutdown.grace=1s",
            "htp.port=1",
        ])
        .env("DETECTVIZ__CLIENT__TOTAL_TIMEOUT", "soon")
        .run();
    assert_eq!(ended.code, Some(64));
    for named in [
        "http.prot",
        "http.max_headers",
        "http.header_timeout",
        "admin.port",
        "telemetry.logs.level",
        "shutdown.grace",
        "htp",
        "DETECTVIZ__CLIENT__TOTAL_TIMEOUT",
    ] {
        assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
    }
    assert_eq!(ended.stdout, "");
    drop(taken);
}

#[test]
fn a_file_is_blamed_by_its_name_and_line() {
    let dir = std::env::temp_dir().join(format!("detectviz-cli-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    fs::write(
        dir.join("app_config.yaml"),
        "http:\n  address: 127.0.0.1\n  prot: 1\n",
    )
    .unwrap();
    let (code, _, stderr) = said(&["--check-config", "--config", dir.to_str().unwrap()]);
    fs::remove_dir_all(&dir).unwrap();
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("app_config.yaml:3"), "{stderr}");
    assert!(
        stderr.contains("http.prot") && stderr.contains("`port`"),
        "{stderr}"
    );
}

#[test]
fn a_port_in_use_is_69_and_the_message_names_it_with_the_remedy() {
    for key in ["http", "admin"] {
        let launch = Launch::conformance();
        let taken = TcpListener::bind((launch.http().ip(), 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let ended = launch.set(&format!("{key}.port"), port).run();
        assert_eq!(ended.code, Some(69), "{}", ended.stderr);
        let remedy = format!("--set {key}.port=");
        for part in [&format!("port {port} is in use"), &remedy] {
            assert!(ended.stderr.contains(part), "{}", ended.stderr);
        }
    }
}

#[test]
fn check_config_is_0_for_a_good_configuration_and_touches_no_port() {
    let launch = Launch::conformance();
    let taken = TcpListener::bind(launch.http()).unwrap();
    let ended = launch.args(["--check-config"]).run();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    drop(taken);
    let (code, _, stderr) = said(&["--check-config", "--set", "http.port=x"]);
    assert_eq!(code, Some(64));
    assert!(stderr.contains("http.port"), "{stderr}");
}

#[test]
fn config_report_shows_every_value_with_its_origin_and_no_secret() {
    let ended = Launch::conformance()
        .sets(&[
            "http.max_uri=1KiB",
            "telemetry.otlp.headers.authorization=hunter2",
        ])
        .env("DETECTVIZ__HTTP__MAX_HEADERS", "33")
        .args(["--config-report"])
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let line = |path: &str| {
        let found = ended.stdout.lines().find(|line| line.starts_with(path));
        found.unwrap_or_else(|| panic!("no {path}: {}", ended.stdout))
    };
    for (path, value, origin) in [
        ("http.max_uri ", "1KiB", "--set http.max_uri"),
        ("http.max_headers ", "33", "DETECTVIZ__HTTP__MAX_HEADERS"),
        ("http.max_body ", "2MiB", "default"),
        ("shutdown.drain ", "15s", "app_config.yaml"),
    ] {
        let line = line(path);
        assert!(line.contains(value) && line.contains(origin), "{line}");
    }
    assert!(!ended.stdout.contains("hunter2"), "{}", ended.stdout);
    assert!(line("telemetry.otlp.headers").contains("redacted"));
}

#[test]
fn the_report_of_a_reference_shows_where_the_secret_is_and_not_the_secret() {
    let out = output(&bin("orders"), &["--config-report"]);
    let report = String::from_utf8(out.stdout).unwrap();
    let line = report.lines().find(|line| line.starts_with("orders.token"));
    let line = line.unwrap_or_else(|| panic!("{report}"));
    assert!(line.contains("${secret:file:orders-token}"), "{line}");
}

#[test]
fn config_schema_is_valid_and_knows_the_keys() {
    let (code, stdout, _) = said(&["--config-schema"]);
    assert_eq!(code, Some(0));
    let schemas: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    for name in ["app_config.yaml", "composition.yaml"] {
        let schema = &schemas[name];
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
    let app = jsonschema::validator_for(&schemas["app_config.yaml"]).unwrap();
    let good = serde_json::json!({ "http": { "port": 1, "header_timeout": "3s" } });
    assert!(app.is_valid(&good));
    for bad in [
        serde_json::json!({ "shutdown": { "grase": "3s" } }),
        serde_json::json!({ "telemetry": { "logs": { "level": 3 } } }),
        serde_json::json!({ "http": { "port": 1, "header_timeouts": "3s" } }),
    ] {
        assert!(!app.is_valid(&bad), "{bad}");
    }
}

#[test]
fn help_and_version_say_what_there_is() {
    let (code, stdout, stderr) = said(&["--help"]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    for flag in [
        "--port",
        "--pre-stop",
        "--config",
        "--set",
        "--check-config",
        "--config-schema",
        "--version",
    ] {
        assert!(stdout.contains(flag), "{flag}: {stdout}");
    }
    let (code, stdout, _) = said(&["--version"]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.starts_with("conformance ") && stdout.lines().count() == 1,
        "{stdout}"
    );
}
