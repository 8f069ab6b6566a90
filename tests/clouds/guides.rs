//! What the guides tell people to write is what the stores read.
use detectviz_core::config::{Section, check};
use detectviz_tests::{repository, yaml};
use serde_json::Value;

/// Every YAML block of the guide of `name`, read as the section of that name.
fn reads<T: Section>(name: &str, expected: &[&str]) {
    let guide = repository::text(&format!("docs/guides/secrets-{name}.md"));
    let schema = detectviz_core::config::schema_of::<T>().to_value();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let blocks = guide.split("```yaml\n").skip(1);
    let mut sources = Vec::new();
    for block in blocks.filter_map(|block| block.split_once("```")) {
        let section: Value = yaml::to_json(block.0)["secrets"][name].clone();
        let wrong: Vec<String> = validator
            .iter_errors(&section)
            .map(|err| err.to_string())
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        let read: T = serde_json::from_value(section.clone()).expect("the section is read");
        check(&read).expect("the section can work");
        let source = section["credentials"]["source"]
            .as_str()
            .unwrap_or_default();
        sources.push(source.to_owned());
    }
    assert_eq!(sources, expected, "{name}");
}

#[cfg(feature = "aws")]
#[test]
fn the_guide_of_aws_is_read() {
    reads::<detectviz_secrets::aws::AwsConfig>("aws", &["web_identity", "static_keys"]);
}

#[cfg(feature = "gcp")]
#[test]
fn the_guide_of_gcp_is_read() {
    reads::<detectviz_secrets::gcp::GcpConfig>("gcp", &["", "external_account_file"]);
}

#[cfg(feature = "azure")]
#[test]
fn the_guide_of_azure_is_read() {
    reads::<detectviz_secrets::azure::AzureConfig>(
        "azure",
        &["workload_identity", "client_secret"],
    );
}
