//! The `OTEL_*` variables as a layer of the configuration.
use crate::{
    config::{self, Loaded, Origin, Place, Problem, Problems, Sources, check},
    telemetry::otlp::{OtelHeaders, OtelVars, OtlpConfig, otel_env},
};
use serde_json::json;

const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const PROPAGATORS: &str = "OTEL_PROPAGATORS";

/// The resource attributes that the section `service` tells.
const OF_SERVICE: [(&str, &str); 4] = [
    ("service.version", "service.version"),
    ("service.instance.id", "service.instance"),
    ("deployment.environment", "service.environment"),
    ("deployment.environment.name", "service.environment"),
];

/// Loads `sources` with what the `OTEL_*` variables among them say between the files and our own variables.
///
/// # Errors
/// As [`config::load`].
pub(super) fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let vars = vars(sources);
    let mut loaded = config::load(&over(sources.clone(), &vars))?;
    for problem in &vars.problems {
        refuse(&mut loaded, problem.variable, &problem.what, problem.remedy);
    }
    let OtelHeaders {
        all,
        traces,
        metrics,
    } = vars.headers;
    for (variable, headers) in [
        ("OTEL_EXPORTER_OTLP_HEADERS", all),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", traces),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", metrics),
    ] {
        let mut config = OtlpConfig::default();
        config.env_headers.all = headers;
        for problem in check(&config).err().into_iter().flatten() {
            refuse(&mut loaded, variable, problem.what(), problem.remedy());
        }
    }
    Ok(loaded)
}

/// The headers of the export, which may be secrets and are therefore no values of a section.
pub(super) fn headers(sources: &Sources) -> OtelHeaders {
    vars(sources).headers
}

fn vars(sources: &Sources) -> OtelVars {
    otel_env(|name| sources.variable(name).map(str::to_owned))
}

/// Lays what the variables say over the files.
fn over(mut sources: Sources, vars: &OtelVars) -> Sources {
    for value in &vars.values {
        let path = format!("telemetry.otlp.{}", value.path);
        sources = sources.stands_for(value.variable, &path, value.value.clone());
    }
    if let Some(name) = &vars.service_name {
        let own = sources.variable(SERVICE_NAME);
        let own = own.is_some_and(|value| !value.trim().is_empty());
        let variable = if own { SERVICE_NAME } else { RESOURCE };
        sources = sources.stands_for(variable, "service.name", json!(name));
    }
    let mut attributes = vars.resource_attributes.clone();
    for (attribute, path) in OF_SERVICE {
        if let Some(value) = attributes.remove(attribute) {
            sources = sources.stands_for(RESOURCE, path, json!(value));
        }
    }
    if !attributes.is_empty() {
        sources = sources.stands_for(RESOURCE, "telemetry.otlp.resource", json!(attributes));
    }
    if let Some(names) = &vars.propagators {
        sources = sources.stands_for(PROPAGATORS, "telemetry.propagation.formats", json!(names));
    }
    sources
}

fn refuse(loaded: &mut Loaded, variable: &str, what: &str, remedy: &str) {
    let place = Place::new(Origin::Env(variable.into()));
    loaded.problem(Problem::new(place, "", what, remedy));
}

#[cfg(test)]
mod tests {
    use crate::{
        config::{Effective, Problems, Sources},
        runtime::{Builder, Plan},
        telemetry::propagation::Format,
    };

    fn plan(sources: Sources, variables: &[(&str, &str)]) -> Result<Plan, Problems> {
        let variables = variables.iter();
        let variables = variables.map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Builder::new("built", "0.0.1").plan(&sources.env(variables))
    }

    fn files() -> Sources {
        let yaml = "service: {name: file, version: '1'}\ntelemetry: {otlp: {timeout: 1s}}\n";
        Sources::new().embedded_app("app.yaml", yaml)
    }

    #[track_caller]
    fn expect(effective: &Effective, path: &str, value: impl Into<serde_json::Value>, from: &str) {
        let found = effective.find(path).unwrap();
        assert_eq!(found.value, value.into(), "{path}");
        assert_eq!(found.place.to_string(), from, "{path}");
    }

    #[test]
    fn otel_variables_lie_between_files_and_our_own_variables() {
        let plan = plan(
            files().set("telemetry.otlp.traces.batch=7"),
            &[
                ("OTEL_SERVICE_NAME", "otel"),
                (
                    "OTEL_RESOURCE_ATTRIBUTES",
                    "service.name=lost,service.version=2,service.instance.id=i-1,\
                     deployment.environment.name=staging,k8s.pod.name=p-1",
                ),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
                ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9"),
                ("OTEL_PROPAGATORS", "b3,baggage"),
                ("DETECTVIZ__TELEMETRY__OTLP__TRACES__RATIO", "0.25"),
            ],
        )
        .unwrap();
        let all = plan.effective();
        expect(all, "service.name", "otel", "OTEL_SERVICE_NAME");
        expect(all, "service.version", "2", "OTEL_RESOURCE_ATTRIBUTES");
        expect(all, "service.instance", "i-1", "OTEL_RESOURCE_ATTRIBUTES");
        expect(
            all,
            "service.environment",
            "staging",
            "OTEL_RESOURCE_ATTRIBUTES",
        );
        let pod = r#"telemetry.otlp.resource."k8s.pod.name""#;
        expect(all, pod, "p-1", "OTEL_RESOURCE_ATTRIBUTES");
        let endpoint = "http://collector:4318";
        expect(
            all,
            "telemetry.otlp.endpoint",
            endpoint,
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        );
        expect(
            all,
            "telemetry.otlp.enabled",
            true,
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        );
        expect(
            all,
            "telemetry.otlp.timeout",
            "2s",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        );
        let ratio = "DETECTVIZ__TELEMETRY__OTLP__TRACES__RATIO";
        expect(all, "telemetry.otlp.traces.ratio", 0.25, ratio);
        let batch = "--set telemetry.otlp.traces.batch";
        expect(all, "telemetry.otlp.traces.batch", 7, batch);
        assert_eq!(
            plan.telemetry.propagation.formats,
            [Format::B3, Format::Baggage]
        );
        assert_eq!(plan.identity().name, "otel");
        assert_eq!(plan.identity().instance, "i-1");
    }

    #[test]
    fn without_a_name_of_its_own_the_resource_names_the_service() {
        let plan = plan(
            files(),
            &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=shop")],
        )
        .unwrap();
        expect(
            plan.effective(),
            "service.name",
            "shop",
            "OTEL_RESOURCE_ATTRIBUTES",
        );
    }

    #[test]
    fn otel_sdk_disabled_switches_the_export_off() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_SDK_DISABLED", "true"),
        ];
        let off = plan(files(), &variables).unwrap();
        expect(
            off.effective(),
            "telemetry.otlp.enabled",
            false,
            "OTEL_SDK_DISABLED",
        );
    }

    #[test]
    fn every_malformed_variable_is_named_at_once() {
        let problems = plan(
            files(),
            &[
                ("OTEL_TRACES_SAMPLER_ARG", "half"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "a=b, c d=hidden"),
                ("OTEL_PROPAGATORS", "xray"),
                ("OTEL_RESOURCE_ATTRIBUTES", "nothing"),
            ],
        );
        let problems = problems.unwrap_err().to_string();
        for variable in [
            "OTEL_TRACES_SAMPLER_ARG: is no share; write",
            "OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.otlp.endpoint: ",
            "OTEL_EXPORTER_OTLP_HEADERS: ",
            "OTEL_PROPAGATORS: names `xray`",
            "OTEL_RESOURCE_ATTRIBUTES: is not a list",
        ] {
            assert!(problems.contains(variable), "{variable}: {problems}");
        }
        assert!(!problems.contains("hidden"), "{problems}");
    }

    #[test]
    fn headers_of_variables_reach_the_export_and_no_report() {
        let plan = plan(files(), &[("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hidden")]).unwrap();
        assert_eq!(plan.telemetry.otlp.env_headers.all.len(), 1);
        assert!(!plan.effective().to_string().contains("hidden"));
    }
}
